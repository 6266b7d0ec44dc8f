import stringWidth from "string-width";

/** How many columns of a terminal a text takes: two for each character that is wide (UAX #11), none for accents of others. */
export function width(text: string): number {
  return stringWidth(text);
}

/** A text and blanks up to so many columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** A text, or its beginning and `…`, in at most so many columns. */
export function cutTo(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (width(kept + segment) > columns - 1) break;
    kept += segment;
  }
  return columns < 1 ? "" : `${kept}…`;
}
