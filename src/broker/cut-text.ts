/**
 * Elements of lists may be of any size: anybody can push to a reply list. So LRANGE and LINDEX pass on only the two
 * ends of a long one, with its length between them (wire-gate.ts). Pushing a text that looks like this gains nothing:
 * it is not decoded. The same holds for CLIENT LIST, where clients may choose long names, and for messages, which
 * anybody can publish. A cut one is not read.
 */

/** Bytes of either end: the name of a node stands in front, the ticket behind, some hundred bytes from the end. */
export const END_BYTES = 1_000;

/** What stands between the ends of a text that had so many bytes. */
export function cutMark(bytes: number): string {
  return `\0${bytes} bytes\0`;
}

const MARK = /\0(\d{4,16}) bytes\0/;

/** Longer than any cut text, in characters. */
const LONGEST = 2 * END_BYTES + 40;

/** How many bytes the text had before it was cut; null: it is whole. */
export function bytesBeforeCut(text: string): number | null {
  if (text.length > LONGEST || !text.includes("\0")) return null;
  const bytes = MARK.exec(text)?.[1];
  return bytes === undefined ? null : Number(bytes);
}
