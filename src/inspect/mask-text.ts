import { endOfQuoted } from "../pidbox/quoted.ts";
import { replaceEach, startText } from "./long-text.ts";
import { MASK } from "./mask.ts";
import { withoutForms } from "./secret-forms.ts";
import { isSecretText, secrecyOf } from "./secret-names.ts";

/** The place where the next of several URLs begins. */
const NEXT_URL = /(?<=[\s;,'"([{=])(?=[a-z][a-z0-9+.-]*:\/\/)/i;

/**
 * `//user:…@host` and `user:…@host`: a URL without its scheme. In the second form a port, a path or nothing follows the
 * host.
 */
const WITHOUT_SCHEME =
  /((?<![^\s"'(,;=])(?:\/\/[\w.%+-]{0,64}|[\w.%+-]{1,64}):)[^\s"',/:;@]{1,200}@(?=[\w.[-][\w.-]{0,253}(?:[/:]|$))/g;

/** `password=…` in a query or a connection string, `password = …` in a file, `X-Api-Key: …` in a header. */
const NAMED = /(?<![\w-])([\w-]+)(?:[ \t]{0,8}=(?!=)>?[ \t]{0,8}|:[ \t]+)/g;

/** `password:…`. After other words (`auth:read`) a colon separates names. */
const GLUED = /(?<![\w./:-])([\w-]{0,64}(?:passw|passphrase|pwd|secret)[\w-]{0,64}):(?=[^\s/:])/gi;

/** `-u user:…` of curl, but not `-u 1000:1000`. */
const USER =
  /(?<!\S)(-u[ \t]{0,4}|--(?:proxy-)?user[ \t=]{1,4})(['"]?[^\s:'"/]{1,64}:)(?!\d{1,9}(?!\S))[^\s'"]{1,200}/g;

/** `--password …` on a command line. */
const OPTION = /(?<!\S)(--[a-z][\w-]*)[ \t]+(?=[^\s-])/gi;

/** `'password': …` in a dictionary as Python writes it, or `'password' => …`. */
const ENTRY = /['"]([^'"\n]+)['"]\s*(?::|=>)\s*/g;

/** `"name": "password", "value": …` in a list of variables. */
const NAMED_VALUE =
  /['"](?:name|key)['"]\s{0,8}:\s{0,8}['"]([^'"\n]{1,200})['"]\s{0,8},\s{0,8}['"]value['"]\s{0,8}:\s{0,8}/gi;

/** `<password>…` */
const ELEMENT = /<([\w:.-]{1,64})(?:\s[^<>]{0,200})?>/g;

/** A URL with escaped slashes, or with all signs encoded. Its credentials end at the last `@`, as in other URLs. */
const ESCAPED_URL = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\\{1,3}\/\\{1,3}\/)([^\s"'<>]{1,600})@/gi;
const ENCODED_URL = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}%3A%2F%2F)([^\s"'<>&;,]{1,600})%40/gi;

/** `[('password', …), …]`: a dictionary's entry as a list. */
const PAIR = /[[(,]\s{0,8}[[(]\s{0,8}['"]([^'"\n]{1,200})['"]\s{0,8},\s{0,8}/g;

/** The value of an `Authorization` header. */
const AUTHORIZATION = /\b(Bearer|Basic|Token)\s+[\w.~+/=-]{4,}/gi;

/** Masks secrets that can be recognised by the text around them. Takes time in proportion to the text's length. */
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

/** The user's name before a password, with the colon, which may be encoded. */
function userIn(login: string): string {
  return /^[^:%]*(?::|%3A)/i.exec(login)?.[0] ?? "";
}

function masked(credentials: string, user: string): string {
  return /^\*+@$/.test(credentials.slice(user.length)) ? credentials : `${user}${MASK}@`;
}

/** A URL's credentials end at the line's last `@`, because a password may contain any character. */
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

/** Keeps the user name. A password that Celery has already masked stays as it is. */
function maskedUser(credentials: string): string {
  const [, user, password] = /^([^:/?#@\s]*):(.*)$/s.exec(credentials) ?? [];
  if (user === undefined) return `${MASK}@`;
  return /^\*+$/.test(password ?? "") ? `${credentials}@` : `${user}:${MASK}@`;
}

type EndOf = (text: string, at: number, sign: string) => number;

/** Characters of a value that are looked at if its name says that it is no secret. */
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
 * Masks the values whose names name a secret.
 *
 * @param named finds a name and the text up to its value
 * @param endOf finds the end of a value. It returns the beginning if nothing has to be masked
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
/** The lines of a YAML block scalar: `password: |`. */
const SCALAR = /[|>][+\d-]{0,2}[ \t]{0,8}\r?(?:\n[\r\n]{0,4}[ \t][^\n]*)+/y;
const CONTENT = /(?:<!\[CDATA\[)?[^<]+/y;
const PLAIN_OF_ENTRY = /b(?=['"])|-?\d[\d.]*/y;

function endOfWord(text: string, at: number): number {
  return endOfCalled(text, at) ?? endOfGroup(text, at) ?? endBy(BARE, text, at);
}

/** The end of a quoted text after a name. Null: there is no such text. */
function endOfCalled(text: string, at: number): number | null {
  const called = Math.max(endBy(CALL, text, at), endBy(PREFIX, text, at));
  return called === at ? null : endOfGroup(text, called);
}

function endOfContent(text: string, at: number): number {
  return endBy(CONTENT, text, at);
}

function endOfAssigned(text: string, at: number, sign: string): number {
  if (text[at] === "|" || text[at] === ">") return endBy(SCALAR, text, at);
  const isQuoted = text[at] === "'" || text[at] === '"';
  return sign.includes("=") || isQuoted ? endOfWord(text, at) : endBy(BARE_OF_HEADER, text, at);
}

/** The end of a text, a number, a list, a tuple or a dictionary. */
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

/**
 * The end of the quoted text or bracket that begins here. Null: none begins here. A text that was cut ends with the
 * whole text.
 */
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
