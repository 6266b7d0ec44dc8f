/** Pieces that are joined at once. Joining half a million of them only at the end would take 50 MB. */
const AT_ONCE = 4_096;

/** A text that is built from any number of pieces. */
export interface LongText {
  readonly add: (...pieces: readonly string[]) => void;
  readonly text: () => string;
}

export function startText(): LongText {
  const parts: string[] = [];
  let pieces: string[] = [];
  const putTogether = () => {
    parts.push(pieces.join(""));
    pieces = [];
  };
  return {
    add(...more) {
      pieces.push(...more);
      if (pieces.length >= AT_ONCE) putTogether();
    },
    text() {
      putTogether();
      return parts.join("");
    },
  };
}

/**
 * Like `String.replace`, which keeps every match in memory until its end.
 *
 * @param pattern global, and never matches an empty text
 */
export function replaceEach(text: string, pattern: RegExp, by: (found: RegExpExecArray) => string): string {
  const all = startText();
  let written = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const instead = by(found);
    if (instead === found[0]) continue;
    all.add(text.slice(written, found.index), instead);
    written = pattern.lastIndex;
  }
  if (written === 0) return text;
  all.add(text.slice(written));
  return all.text();
}
