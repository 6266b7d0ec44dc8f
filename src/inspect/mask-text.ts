import { endOfQuoted } from "../pidbox/quoted.ts";
import { replaceEach, startText } from "./long-text.ts";
import { MASK } from "./mask.ts";
import { withoutForms } from "./secret-forms.ts";
import { isSecretText, secrecyOf } from "./secret-names.ts";

/** Where the next of several URLs begins. */
const NEXT_URL = /(?<=[\s;,'"([{=])(?=[a-z][a-z0-9+.-]*:\/\/)/i;

/** `//user:…@host` and `user:…@host`, where the scheme of a URL was left out; the latter before a port, a path or nothing. */
const WITHOUT_SCHEME =
  /((?<![^\s"'(,;=])(?:\/\/[\w.%+-]{0,64}|[\w.%+-]{1,64}):)[^\s"',/:;@]{1,200}@(?=[\w.[-][\w.-]{0,253}(?:[/:]|$))/g;

/** `password=…` of a query or of a connection string, `password = …` of a file, `X-Api-Key: …` of a header. */
const NAMED = /(?<![\w-])([\w-]+)(?:[ \t]{0,8}=(?!=)>?[ \t]{0,8}|:[ \t]+)/g;

/** `password:…`; of other words (`auth:read`) a colon parts names. */
const GLUED = /(?<![\w./:-])([\w-]{0,64}(?:passw|passphrase|pwd|secret)[\w-]{0,64}):(?=[^\s/:])/gi;

/** `-u user:…` of curl, and not `-u 1000:1000`. */
const USER =
  /(?<!\S)(-u[ \t]{0,4}|--(?:proxy-)?user[ \t=]{1,4})(['"]?[^\s:'"/]{1,64}:)(?!\d{1,9}(?!\S))[^\s'"]{1,200}/g;

/** `--password …` of a command line. */
const OPTION = /(?<!\S)(--[a-z][\w-]*)[ \t]+(?=[^\s-])/gi;

/** `'password': …` of a dictionary as Python writes it, or `'password' => …`. */
const ENTRY = /['"]([^'"\n]+)['"]\s*(?::|=>)\s*/g;

/** `"name": "password", "value": …` of a list of variables. */
const NAMED_VALUE =
  /['"](?:name|key)['"]\s{0,8}:\s{0,8}['"]([^'"\n]{1,200})['"]\s{0,8},\s{0,8}['"]value['"]\s{0,8}:\s{0,8}/gi;

/** `<password>…` */
const ELEMENT = /<([\w:.-]{1,64})(?:\s[^<>]{0,200})?>/g;

/** A URL whose slashes are escaped, or all of whose signs are encoded: up to the last `@`, as of the others. */
const ESCAPED_URL = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\\{1,3}\/\\{1,3}\/)([^\s"'<>]{1,600})@/gi;
const ENCODED_URL = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}%3A%2F%2F)([^\s"'<>&;,]{1,600})%40/gi;

/** `[('password', …), …]`: an entry of a dictionary in a list. */
const PAIR = /[[(,]\s{0,8}[[(]\s{0,8}['"]([^'"\n]{1,200})['"]\s{0,8},\s{0,8}/g;

/** What stands in a header `Authorization`. */
const AUTHORIZATION = /\b(Bearer|Basic|Token)\s+[\w.~+/=-]{4,}/gi;

/** Text with the secrets masked that its form gives away. The time it takes grows as the text does. */
export function maskText(text: string): string {
  const withoutUrls = withoutForms(text)
    .split(NEXT_URL)
    .map(withoutCredentials)
    .join("")
    .replace(ESCAPED_URL, (_, scheme: string, login: string) => `${scheme}${userIn(login)}${MASK}@`)
    .replace(ENCODED_URL, (_, scheme: string, login: string) => `${scheme}${userIn(login)}${MASK}%40`)
    .replace(WITHOUT_SCHEME, masked);
  const passes: readonly [named: RegExp, endOf: EndOf, mask: string][] = [
    [OPTION, endOfWord, MASK],
    [NAMED, endOfAssigned, MASK],
    [GLUED, endOfWord, MASK],
    [ENTRY, endOfEntry, `'${MASK}'`],
    [PAIR, endOfEntry, `'${MASK}'`],
    [NAMED_VALUE, endOfEntry, `'${MASK}'`],
    [ELEMENT, endOfContent, MASK],
  ];
  const withoutNamed = passes.reduce((rest, pass) => maskValues(rest, ...pass), withoutUrls);
  const withoutUsers = replaceEach(withoutNamed, USER, ([, option, user]) => `${option}${user}${MASK}`);
  return replaceEach(withoutUsers, AUTHORIZATION, ([, scheme]) => `${scheme} ${MASK}`);
}

/** The name in front of a password, with the colon, which may be encoded. */
function userIn(login: string): string {
  return /^[^:%]*(?::|%3A)/i.exec(login)?.[0] ?? "";
}

function masked(credentials: string, user: string): string {
  return /^\*+@$/.test(credentials.slice(user.length)) ? credentials : `${user}${MASK}@`;
}

/** The credentials of a URL are up to the last `@` of the line: a password may hold any character. */
function withoutCredentials(part: string): string {
  if (!part.includes("://")) return part;
  return part
    .split("\n")
    .map((line) => {
      const scheme = line.search(/[a-z0-9+.-]:\/\//i);
      const from = scheme + "x://".length;
      const at = line.lastIndexOf("@");
      if (scheme === -1 || at < from) return line;
      return line.slice(0, from) + maskedUser(line.slice(from, at)) + line.slice(at + 1);
    })
    .join("\n");
}

/** A user name is kept before a password; what Celery has masked already stays as it is. */
function maskedUser(credentials: string): string {
  const [, user, password] = /^([^:/?#@\s]*):(.*)$/s.exec(credentials) ?? [];
  if (user === undefined) return `${MASK}@`;
  return /^\*+$/.test(password ?? "") ? `${credentials}@` : `${user}:${MASK}@`;
}

type EndOf = (text: string, at: number, sign: string) => number;

/** Characters of a value that are looked at where a name says that it is no secret. */
const LOOKED_AT = 240;

function isSecretHere(name: string, text: string, start: number, sign: string, endOf: EndOf): boolean {
  const secrecy = secrecyOf(name);
  if (secrecy !== "told") return secrecy === "secret";
  const head = text.slice(start, start + LOOKED_AT);
  const value = head.slice(0, endOf(head, 0, sign));
  if (value.startsWith("{")) return true;
  return value.split(/[\s"'(),:[\]{}]+/).some((word) => isSecretText(name, word));
}

/**
 * The text with its named secrets masked.
 *
 * @param named finds a name and what stands between it and its value
 * @param endOf where the value ends that begins there; there, unless it need not be masked
 */
function maskValues(text: string, named: RegExp, endOf: EndOf, mask: string): string {
  const hidden = startText();
  let written = 0;
  named.lastIndex = 0;
  for (let found = named.exec(text); found !== null; found = named.exec(text)) {
    const [whole, name = ""] = found;
    const start = named.lastIndex;
    const end = isSecretHere(name, text, start, whole, endOf) ? endOf(text, start, whole) : start;
    if (end === start) continue;
    hidden.add(text.slice(written, start), mask);
    written = named.lastIndex = end;
  }
  if (written === 0) return text;
  hidden.add(text.slice(written));
  return hidden.text();
}

const BARE = /[^\s&,;)'"]+/y;
const BARE_OF_HEADER = /(?!(?:Bearer|Basic|Token)\s)[^\s,;'"]+/iy;
/** `SecretStr('…')`, `b'…'` */
const CALL = /[\w.]{1,100}(?=\(\s{0,8}[bru]{0,2}['"])/iy;
const PREFIX = /[bru]{1,2}(?=['"])/iy;
/** The lines of a block scalar of YAML: `password: |`. */
const SCALAR = /[|>][+\d-]{0,2}[ \t]{0,8}\r?(?:\n[\r\n]{0,4}[ \t][^\n]*)+/y;
const CONTENT = /(?:<!\[CDATA\[)?[^<]+/y;
const PLAIN_OF_ENTRY = /b(?=['"])|-?\d[\d.]*/y;

function endOfWord(text: string, at: number): number {
  return endOfCalled(text, at) ?? endOfGroup(text, at) ?? endBy(BARE, text, at);
}

/** A text in quotes behind a name, where one stands. */
function endOfCalled(text: string, at: number): number | null {
  const called = Math.max(endBy(CALL, text, at), endBy(PREFIX, text, at));
  return called === at ? null : endOfGroup(text, called);
}

/** What stands between two tags. */
function endOfContent(text: string, at: number): number {
  return endBy(CONTENT, text, at);
}

function endOfAssigned(text: string, at: number, sign: string): number {
  if (text[at] === "|" || text[at] === ">") return endBy(SCALAR, text, at);
  const isQuoted = text[at] === "'" || text[at] === '"';
  return sign.includes("=") || isQuoted ? endOfWord(text, at) : endBy(BARE_OF_HEADER, text, at);
}

/** A text, a number, or everything in a list, a tuple or a dictionary. */
function endOfEntry(text: string, at: number): number {
  const called = endOfCalled(text, at);
  if (called !== null) return called;
  const end = endBy(PLAIN_OF_ENTRY, text, at);
  return endOfGroup(text, end) ?? (text[at] === "b" ? at : end);
}

function endBy(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** Where a quoted text or a bracket that begins here ends; null: it does not end. Cut text ends with the whole. */
function endOfGroup(text: string, start: number): number | null {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "'" || character === '"') at = endOfQuoted(text, at) - 1;
    else if ("([{".includes(character)) depth++;
    else if (depth === 0) return null;
    else if (")]}".includes(character)) depth--;
    if (depth === 0) return at + 1;
  }
  return start < text.length ? text.length : null;
}
