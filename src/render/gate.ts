/**
 * The way out. Names, servers' words, process titles and log lines may hold anything. Before printing they pass one
 * gate for each medium: `page` and `lines` for a terminal, `json` for programs, render/markdown.ts for tickets.
 */

import { shortened } from "./speech.ts";

declare const passed: unique symbol;

/** Text that has passed a gate, or that is ours alone: nothing else can be printed. */
export type Printable = string & { readonly [passed]: true };

export const NOTHING = "" as Printable;

/** Pages of help, scripts for shells, moves of the cursor: nothing from outside may be in them. */
export function ours(text: string): Printable {
  return text as Printable;
}

/** Docker keeps the first 4,096 bytes of a probe's output, stdout and stderr together. */
export const BUDGET_BYTES = 4_096;

const CUT = " …";

/** Characters of a line for people; a longer one is no line that anybody reads. */
const LONGEST_LINE = 16_384;

/** What a terminal obeys, what turns a text round or hides in it, and halves of characters. */
function unseen(): RegExp {
  return /[\p{C}\p{Zl}\p{Zp}]/gu;
}

/** Unicode's tables take a millisecond to load, as soon as the expression is there: most texts need none. */
const PLAIN = /^[ -~]*$/;

/** One line: control characters and line ends of texts from elsewhere are escaped, passwords of URLs masked. */
export function line(text: string): string {
  const shown = withoutPasswords(shortened(text, LONGEST_LINE));
  if (PLAIN.test(shown)) return shown;
  return shown.replace(unseen(), (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

/** The lines as they are written, cut to what a health check's reader keeps, at the end of a character. */
export function page(list: readonly string[]): Printable {
  const text = lines(list);
  if (Buffer.byteLength(text) <= BUDGET_BYTES) return text;
  const room = BUDGET_BYTES - Buffer.byteLength(`${CUT}\n`);
  // Cutting inside a character leaves U+FFFD at the end.
  const kept = Buffer.from(text, "utf8")
    .subarray(0, room)
    .toString("utf8")
    .replace(/\uFFFD$/u, "");
  return `${kept}${CUT}\n` as Printable;
}

/** The lines as they are written. @param inColour our colours stay; cells have passed `line` before they were painted */
export function lines(list: readonly string[], inColour = false): Printable {
  const shown = inColour ? painted : line;
  return list.map((one) => `${shown(one)}\n`).join("") as Printable;
}

/** An SGR sequence of ECMA-48, which colours what follows. */
const SGR = /(\x1b\[\d{1,3}m)/;

function painted(text: string): string {
  const parts = text.split(SGR);
  return parts.map((part, position) => (position % 2 === 1 ? part : line(part))).join("");
}

/** A value for programs, on one line. It is read as what it is but for passwords of URLs, and nothing unseen stands in it. */
export function json(value: unknown): Printable {
  const plain = JSON.stringify(value);
  const text = mayHavePassword(plain) ? JSON.stringify(value, withoutPasswordsIn) : plain;
  // By halves of UTF-16, as JSON escapes them.
  const escape = (half: string) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const shown = PLAIN.test(text)
    ? text
    : text.replace(unseen(), (character) => character.split("").map(escape).join(""));
  return `${shown}\n` as Printable;
}

/** Of texts and of names of entries: a node may be called as its broker is. */
function withoutPasswordsIn(_key: string, value: unknown): unknown {
  if (typeof value === "string") return withoutPasswords(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some(mayHavePassword)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [withoutPasswords(name), one]));
}

function mayHavePassword(text: string): boolean {
  return text.includes("://") && text.includes("@");
}

/** What a URL in a text cannot hold. */
const TOKEN = /[^\s"<>]+/g;

/** Between two URLs of a list. */
const NEXT_URL = /([;,](?=[a-z][a-z0-9+.-]{0,31}:\/\/))/i;

/** The text with the passwords of its URLs masked. Linear in the text's length. */
export function withoutPasswords(text: string): string {
  if (!mayHavePassword(text)) return text;
  return text.replace(TOKEN, (token) => token.split(NEXT_URL).map(withoutPassword).join(""));
}

function withoutPassword(part: string): string {
  const start = part.indexOf("://") + 3;
  const at = part.lastIndexOf("@");
  if (start === 2 || at < start) return part;
  const colon = part.slice(start, at).indexOf(":");
  const user = colon === -1 ? "" : part.slice(start, start + colon + 1);
  // An `@` of a path or a query is nobody's.
  if (/[/?#]/.test(colon === -1 ? part.slice(start, at) : user)) return part;
  // A mask of our own stays, and so do the pattern of a URL, `[[user]:password@]host`, and the word to fill in.
  if (/^(?:\*+|PASSWORD)$/.test(part.slice(start + user.length, at)) || part[at + 1] === "]") return part;
  return `${part.slice(0, start)}${user}***${part.slice(at)}`;
}
