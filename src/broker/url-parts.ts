import { failure, type Outcome, success } from "../outcome.ts";
import { slipIn } from "./url-slips.ts";

/** A URL behind its scheme, decoded; what it does not say is undefined. */
export interface UrlParts {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Without the slash in front. */
  readonly path: string;
  /** As `parse_qsl`: keys without a value are left out, and of equal keys the last one counts. */
  readonly query: ReadonlyMap<string, string>;
}

export const EXPECTED = "expected redis://[user:password@]host[:port][/database]";
export const CODES = "expected %-codes for / ? # @ in a password";

/**
 * Cuts what stands behind `scheme://` as Python's `urllib.parse` does for kombu (kombu/utils/url.py `url_to_parts`):
 * the host in lower case, everything percent-decoded. The last `@` ends the credentials, and port 0 means no port.
 *
 * A problem repeats only numbers of the URL and what url-slips.ts knows: an unreadable part may be a piece of the
 * password.
 */
export function cutUrl(text: string): Outcome<UrlParts, string> {
  const [head, fragment] = cutAt(text, "#");
  const [front, search] = cutAt(head, "?");
  const slash = front.indexOf("/");
  const authority = slash === -1 ? front : front.slice(0, slash);
  const path = slash === -1 ? "" : front.slice(slash + 1);

  // The rest of a password with a raw # or ?: kombu never reads it as intended.
  const pairs = search.split("&");
  if (fragment.includes("@") || pairs.some((pair) => pair.includes("@") && !/=./.test(pair))) {
    return failure(BEHIND);
  }
  if (authority.includes("[") !== authority.includes("]")) {
    return failure(
      "has a single [ or ]: expected %-codes for [ ] in a password, and both around an IPv6 address",
    );
  }
  // Python refuses what a host name's normalization would turn into an end of the host.
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

/** What is wrong with a part that Python reads and kombu cannot use: with an `@` in it, it is a piece of a password. */
export function strayPart(text: string, problem: string): string {
  return text.includes("@") ? BEHIND : problem;
}

function cutAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** @param isWhole no `@` stands behind it: else it may be the beginning of a password */
function parseHostAndPort(text: string, isWhole: boolean): Outcome<Pick<UrlParts, "host" | "port">, string> {
  const parts = /^(?:\[([\da-f.]*:[\da-f:.]*(?:%[^\]]*)?)\]|([^:[\]]*))(?::(.*))?$/is.exec(text);
  if (parts === null) return failure(`has no readable host: ${EXPECTED}`);
  const name = parts[1] ?? parts[2] ?? "";
  const host = unquote(name.replace(/^[^%]+/, (start) => start.toLowerCase()));
  const port = parts[3] ?? "";
  const slip = isWhole ? (slipIn(name, "host") ?? slipIn(port, "port")) : null;
  if (slip !== null) return failure(slip);
  if (/[\s/\0]/.test(host)) return failure(`has a blank or a slash in its host: ${EXPECTED}`);
  // A port that is not a number may be the rest of a password with a raw '/', '?' or '#' in it: it is not repeated.
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

/** Percent-decoding that leaves a stray `%` alone, as Python's `urllib.parse.unquote` does. */
export function unquote(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) =>
    Buffer.from(codes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
