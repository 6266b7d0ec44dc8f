import stringWidth from "string-width";

/**
 * The number of columns that a text takes on a terminal. Wide characters take two (UAX #11), combining accents none.
 */
export function width(text: string): number {
  return stringWidth(text);
}

/** A text with blanks up to this number of columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** Each of these characters takes one column. */
const PLAIN = /^[ -~]*$/;

/** A text in at most this number of columns: whole, or its beginning and `…`. */
export function cutTo(text: string, columns: number): string {
  // No UTF-16 unit takes more than two columns.
  if (text.length * 2 <= columns) return text;
  if (columns < 1) return "";
  // Segmenting the text would cost a hundred times as much.
  if (PLAIN.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  let kept = "";
  let taken = 0;
  for (const { segment, index } of new Intl.Segmenter().segment(text)) {
    const more = width(segment);
    // Returns early, so that the rest of a long text is not segmented.
    if (taken + more > columns) return `${kept}…`;
    taken += more;
    if (taken < columns) kept = text.slice(0, index + segment.length);
  }
  return text;
}

/**
 * A text in at most this number of columns: whole, or its beginning, `…` and its end. Names may differ at either end.
 */
export function cutMiddle(text: string, columns: number): string {
  if (text.length * 2 <= columns || width(text) <= columns) return text;
  if (columns < 3) return cutTo(text, columns);
  const segments = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  const half = Math.floor((columns - 1) / 2);
  const end = fittingFrom(segments.toReversed(), half).reverse();
  return `${fittingFrom(segments, columns - 1 - half).join("")}…${end.join("")}`;
}

/** The first segments, as many as fit. */
function fittingFrom(segments: readonly string[], columns: number): string[] {
  let taken = 0;
  const over = segments.findIndex((segment) => (taken += width(segment)) > columns);
  return segments.slice(0, over === -1 ? segments.length : over);
}

/** Text in lines that fit beside an indent. Null: one line. A longer word gets its own line. */
export function wrapped(text: string, indent: number, columns: number | null): readonly string[] {
  if (columns === null || indent + width(text) <= columns) return [text];
  const room = Math.max(1, columns - indent);
  const found: string[] = [];
  let taken = 0;
  for (const word of text.split(" ")) {
    const more = width(word);
    if (found.length > 0 && taken + 1 + more <= room) {
      found.push(`${found.pop() ?? ""} ${word}`);
      taken += 1 + more;
    } else {
      found.push(word);
      taken = more;
    }
  }
  return found;
}
