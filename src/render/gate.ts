/**
 * All output passes here. Names, servers' error messages, process titles and log lines may contain anything. Before
 * printing they pass a function for their medium: `page` and `lines` for a terminal, `json` for programs,
 * render/markdown.ts for tickets.
 */

import { shortened } from "./speech.ts";

declare const passed: unique symbol;

/** Text that has passed one of these functions, or that is our own. Nothing else can be printed. */
export type Printable = string & { readonly [passed]: true };

export const NOTHING = "" as Printable;

/** For help pages, shell scripts and cursor movements. They must not contain text from outside. */
export function ours(text: string): Printable {
  return text as Printable;
}

/** Docker keeps the first 4,096 bytes of a probe's output, stdout and stderr together. */
export const BUDGET_BYTES = 4_096;

const CUT = " …";

/** Characters of a line for people. Longer lines are cut: nobody reads them. */
const LONGEST_LINE = 16_384;

/** Matches control characters, characters that reverse or hide text, and unpaired surrogates. */
function unseen(): RegExp {
  return /[\p{C}\p{Zl}\p{Zp}]/gu;
}

/** Most texts match this, and then the table of `unseen` is not needed: Unicode's tables take a millisecond to load. */
const PLAIN = /^[ -~]*$/;

/** A text from outside as one line: control characters and line ends are escaped, passwords in URLs are masked. */
export function line(text: string): string {
  const shown = withoutPasswords(shortened(text, LONGEST_LINE));
  if (PLAIN.test(shown)) return shown;
  return shown.replace(unseen(), (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

/** The lines for a health check: cut to what its reader keeps, at the end of a character. */
export function page(list: readonly string[]): Printable {
  const text = lines(list);
  if (Buffer.byteLength(text) <= BUDGET_BYTES) return text;
  const room = BUDGET_BYTES - Buffer.byteLength(`${CUT}\n`);
  // A cut inside a character leaves U+FFFD at the end.
  const kept = Buffer.from(text, "utf8")
    .subarray(0, room)
    .toString("utf8")
    .replace(/\uFFFD$/u, "");
  return `${kept}${CUT}\n` as Printable;
}

/**
 * The lines for a terminal.
 *
 * @param inColour keeps our own colours. Cells must have passed `line` before they got a colour
 */
export function lines(list: readonly string[], inColour = false): Printable {
  const shown = inColour ? painted : line;
  return list.map((one) => `${shown(one)}\n`).join("") as Printable;
}

/** An SGR sequence of ECMA-48, which sets a colour. */
const SGR = /(\x1b\[\d{1,3}m)/;

function painted(text: string): string {
  const parts = text.split(SGR);
  return parts.map((part, position) => (position % 2 === 1 ? part : line(part))).join("");
}

/** A value as JSON, on one line. Only passwords in URLs are changed. Invisible characters are escaped. */
export function json(value: unknown): Printable {
  const plain = JSON.stringify(value);
  const text = mayHavePassword(plain) ? JSON.stringify(value, withoutPasswordsIn) : plain;
  // JSON escapes the two halves of a surrogate pair separately.
  const escape = (half: string) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const shown = PLAIN.test(text)
    ? text
    : text.replace(unseen(), (character) => character.split("").map(escape).join(""));
  return `${shown}\n` as Printable;
}

/** Masks texts and names of entries: a node may have its broker's URL as its name. */
function withoutPasswordsIn(_key: string, value: unknown): unknown {
  if (typeof value === "string") return withoutPasswords(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some(mayHavePassword)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [withoutPasswords(name), one]));
}

function mayHavePassword(text: string): boolean {
  return text.includes("://") && text.includes("@");
}

/** A run of characters that a URL may contain. */
const TOKEN = /[^\s"<>]+/g;

/** The separator of two URLs in a list. */
const NEXT_URL = /([;,](?=[a-z][a-z0-9+.-]{0,31}:\/\/))/i;

/** The text with the passwords in its URLs masked. Takes time in proportion to the text's length. */
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
  // An `@` in a path or a query belongs to no password.
  if (/[/?#]/.test(colon === -1 ? part.slice(start, at) : user)) return part;
  // Our own mask stays. The URL pattern `[[user]:password@]host` and the placeholder PASSWORD stay too.
  if (/^(?:\*+|PASSWORD)$/.test(part.slice(start + user.length, at)) || part[at + 1] === "]") return part;
  return `${part.slice(0, start)}${user}***${part.slice(at)}`;
}
