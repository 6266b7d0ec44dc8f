import type { OverBound } from "../pidbox/message.ts";

/** Characters of a path, a URL, or another text from outside that a sentence shows. */
const LONGEST_WORD = 100;

/** A text in quotes, or a text without blanks. An apostrophe in a word is no quote. */
const LONG_WORD = /(?<=^|[\s(])'[^']{99,}'(?=[\s,;:.)]|$)|\S{101,}/g;

/**
 * A sentence with its long words from outside shortened in the middle. They may have thousands of characters, and the
 * words after them matter. Not for commands that users paste.
 */
export function sentence(text: string): string {
  return text.length <= LONGEST_WORD ? text : text.replace(LONG_WORD, brief);
}

/** A shortened text from outside that may have blanks: a path, or a command line. */
export function brief(text: string): string {
  return shortened(text, LONGEST_WORD);
}

/** A text in at most `most` characters: whole, or its beginning and its end. A path's end is the file's name. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 2) - 1;
  // Removes half a surrogate pair at either side of the cut.
  const first = text.slice(0, most - end - 1).replace(/[\ud800-\udbff]$/, "");
  return `${first}…${text.slice(-end).replace(/^[\udc00-\udfff]/, "")}`;
}

/** A duration for people: `3 ms`, `4.1 s`. */
export function time(ms: number): string {
  return ms < 1_000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A longer duration for people, from seconds: `74 s`, `12 min`, `3.5 h`. */
export function seconds(number: number): string {
  if (number < 600) return `${Math.round(number)} s`;
  return number < 7_200 ? `${Math.round(number / 60)} min` : `${(number / 3_600).toFixed(1)} h`;
}

/** A time for programs and logs, from seconds since 1970: `2026-11-29T04:20:00.000Z`. */
export function isoTime(epochS: number): string {
  return new Date(epochS * 1_000).toISOString();
}

/** A size for people: `812 B`, `3.4 MB`. */
export function bytes(number: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, number)) / 3)));
  return power === 0
    ? `${Math.round(number)} B`
    : `${(number / 1_000 ** power).toFixed(1)} ${units[power] ?? ""}`;
}

/** What a node did if its answer was too large to be read. */
export function overBoundWords({ bound, length, most }: Omit<OverBound, "node">): string {
  switch (bound) {
    case "length":
      return `answered with ${bytes(length)}, and an answer of more than ${bytes(most)} is not read`;
    case "total":
      return `answered with ${bytes(length)}, and the others have left no room to read that`;
    case "depth":
      return `answered with lists more than ${most} deep, which are not read`;
    case "values":
      return `answered with more than ${most} values, which are not read`;
    default:
      return bound satisfies never;
  }
}

/** `1 ping`, `2 pings`. */
export function amount(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** How many nodes did not say. Empty if all did. */
export function unsaid(silent: number, noun: string): string {
  return silent === 0 ? "" : `; ${amount(silent, noun)} did not say`;
}

/** `10.0.0.9:6379`, `[fd00::9]:6379`. */
export function place({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Names in a sentence. A long list is cut, and the rest is counted. */
export function names(list: readonly string[]): string {
  const shown = 8;
  const rest = list.length - shown;
  return list.slice(0, shown).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
