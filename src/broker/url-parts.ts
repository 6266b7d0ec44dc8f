import { failure, type Outcome, success } from "../outcome.ts";
import { slipIn } from "./url-slips.ts";

/** The part of a URL after its scheme, decoded. Missing parts are undefined. */
export interface UrlParts {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Without the slash in front. */
  readonly path: string;
  /** As in `parse_qsl`: keys without a value are left out. If a key occurs twice, the last one counts. */
  readonly query: ReadonlyMap<string, string>;
}

export const EXPECTED = "expected redis://[user:password@]host[:port][/database]";
export const CODES = "expected %-codes for / ? # @ in a password";

/**
 * Splits the text after `scheme://` as Python's `urllib.parse` does for kombu (kombu/utils/url.py `url_to_parts`). The
 * host becomes lower case, everything is percent-decoded. The last `@` ends the credentials, and port 0 means no port.
 *
 * A problem repeats only numbers of the URL and what url-slips.ts knows. An unreadable part may be a piece of the
 * password.
 */
export function cutUrl(text: string): Outcome<UrlParts, string> {
  const [head, fragment] = cutAt(text, "#");
  const [front, search] = cutAt(head, "?");
  const slash = front.indexOf("/");
  const authority = slash === -1 ? front : front.slice(0, slash);
  const path = slash === -1 ? "" : front.slice(slash + 1);

  // This is the rest of a password with an unescaped # or ?. kombu never reads it as intended.
  const pairs = search.split("&");
  if (fragment.includes("@") || pairs.some((pair) => pair.includes("@") && !/=./.test(pair))) {
    return failure(BEHIND);
  }
  if (authority.includes("[") !== authority.includes("]")) {
    return failure(
      "has a single [ or ]: expected %-codes for [ ] in a password, and both around an IPv6 address",
    );
  }
  // Python refuses a host name if its normalized form contains a character that ends the host.
  const isAscii = /^[ -~]*$/.test(authority);
  if (!isAscii && /[/?#@:]/.test(authority.replace(/[@:]/g, "").normalize("NFKC"))) {
    return failure("has a character that Python takes for / ? # @ or a colon: expected %-codes for it");
  }

  const at = authority.lastIndexOf("@");
  const place = parseHostAndPort(authority.slice(at + 1), !path.includes("@"));
  if (!place.ok) return place;
  const [user, secret] = cutAt(authority.slice(0, Math.max(at, 0)), ":");
  return success({
    username: unquote(user) || undefined,
    password: unquote(secret) || undefined,
    ...place.value,
    path: unquote(path),
    query: parseQuery(pairs),
  });
}

const BEHIND = `has an @ behind its host: ${CODES}`;

/** Describes a part that Python reads and kombu cannot use. If it contains an `@`, it is a piece of a password. */
export function strayPart(text: string, problem: string): string {
  return text.includes("@") ? BEHIND : problem;
}

function cutAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** @param isWhole no `@` comes after it; otherwise it may be the beginning of a password */
function parseHostAndPort(text: string, isWhole: boolean): Outcome<Pick<UrlParts, "host" | "port">, string> {
  const parts = /^(?:\[([\da-f.]*:[\da-f:.]*(?:%[^\]]*)?)\]|([^:[\]]*))(?::(.*))?$/is.exec(text);
  if (parts === null) return failure(`has no readable host: ${EXPECTED}`);
  const name = parts[1] ?? parts[2] ?? "";
  const host = unquote(name.replace(/^[^%]+/, (start) => start.toLowerCase()));
  const port = parts[3] ?? "";
  const slip = isWhole ? (slipIn(name, "host") ?? slipIn(port, "port")) : null;
  if (slip !== null) return failure(slip);
  if (/[\s/\0]/.test(host)) return failure(`has a blank or a slash in its host: ${EXPECTED}`);
  // A port that is not a number may be the rest of a password with an unescaped '/', '?' or '#'. So it is not repeated.
  if (!/^\d*$/.test(port)) {
    return failure(`has a port that is not a number: ${CODES}, and a port from 1 to 65535`);
  }
  const number = Number(port);
  if (number > 65535) return failure(`has port ${port}: expected 1 to 65535`);
  return success({ host: host || undefined, port: number || undefined });
}

function parseQuery(pairs: readonly string[]): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const pair of pairs) {
    const [key, value] = cutAt(pair, "=");
    if (value !== "") query.set(unquote(key.replaceAll("+", " ")), unquote(value.replaceAll("+", " ")));
  }
  return query;
}

/** Percent-decodes, but leaves a stray `%` as it is, like Python's `urllib.parse.unquote`. */
export function unquote(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) =>
    Buffer.from(codes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
