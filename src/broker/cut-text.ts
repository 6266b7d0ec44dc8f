/**
 * Elements of lists may have any size: any client can push to a reply list. So LRANGE and LINDEX pass on only the two
 * ends of a long element, with its length between them (wire-gate.ts). A pushed text that looks like this gains
 * nothing, because it is not decoded. The same holds for CLIENT LIST, where clients may choose long names, and for
 * messages, which any client can publish. A cut text is not read.
 */

/**
 * Bytes of either end. The name of a node is near the beginning of the text, and the ticket some hundred bytes from its
 * end.
 */
export const END_BYTES = 1_000;

/** The mark between the ends of a text. `bytes` is the length of the whole text. */
export function cutMark(bytes: number): string {
  return `\0${bytes} bytes\0`;
}

const MARK = /\0(\d{4,16}) bytes\0/;

/** More characters than any cut text has. */
const LONGEST = 2 * END_BYTES + 40;

/** How many bytes the text had before it was cut; null: it is not cut. */
export function bytesBeforeCut(text: string): number | null {
  if (text.length > LONGEST || !text.includes("\0")) return null;
  const bytes = MARK.exec(text)?.[1];
  return bytes === undefined ? null : Number(bytes);
}
