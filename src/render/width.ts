import stringWidth from "string-width";

/** How many columns of a terminal a text takes: two for each character that is wide (UAX #11), none for accents of others. */
export function width(text: string): number {
  return stringWidth(text);
}

/** A text and blanks up to so many columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** Each of these characters takes one column. */
const PLAIN = /^[ -~]*$/;

/** A text, or its beginning and `…`, in at most so many columns. */
export function cutTo(text: string, columns: number): string {
  // No unit of UTF-16 takes more than two columns.
  if (text.length * 2 <= columns) return text;
  if (columns < 1) return "";
  // Segments cost a hundred times as much.
  if (PLAIN.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  let kept = "";
  let taken = 0;
  for (const { segment, index } of new Intl.Segmenter().segment(text)) {
    const more = width(segment);
    // The end of a long text is not looked at.
    if (taken + more > columns) return `${kept}…`;
    taken += more;
    if (taken < columns) kept = text.slice(0, index + segment.length);
  }
  return text;
}
