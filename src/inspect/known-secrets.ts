import { type Hide, MASK } from "./mask.ts";

/** In characters. Secrets of at least this length are hidden everywhere, shorter ones only as whole words. */
const SHORTEST = 6;

/** In characters. Shorter secrets are not hidden at all. */
const SHORTEST_WORD = 3;

/** Hides long known secrets everywhere in a text. Short secrets stay. */
export function hiderOfLong(known: readonly string[]): Hide {
  const long = known.filter(({ length }) => length >= SHORTEST);
  return replacing(long, SHORTEST, () => true);
}

/** Hides short known secrets in a text where they are a word of their own. */
export function hiderOfWords(known: readonly string[]): Hide {
  const short = known.filter(({ length }) => length >= SHORTEST_WORD && length < SHORTEST);
  // A URL's scheme stays: many systems have the password `redis`.
  return replacing(
    short.filter((secret) => !/^\*+$/.test(secret)),
    SHORTEST_WORD,
    (before, after) => !/[\p{L}\p{N}_]$/u.test(before) && !/^(?:[\p{L}\p{N}_]|:\/\/)/u.test(after),
  );
}

/** The secret as it is, as URLs encode it, and as JSON writes it. */
function formsOf(secret: string): readonly string[] {
  return [secret, encodedForm(secret), JSON.stringify(secret).slice(1, -1)];
}

/** Half a surrogate pair cannot be encoded. */
function encodedForm(secret: string): string {
  return encodeURIComponent(secret.toWellFormed());
}

/** Characters that are looked at beside a word. A letter may take two. */
const BESIDE = 3;

/**
 * Searches for the first characters of secrets, so that one pass through the text finds all of them.
 *
 * @param headLength the length of the shortest secret
 */
function replacing(
  secrets: readonly string[],
  headLength: number,
  isMeant: (before: string, after: string) => boolean,
): Hide {
  const lengths = new Map<string, number[]>();
  const forms = new Set(secrets.flatMap(formsOf));
  for (const form of [...forms].sort((a, b) => b.length - a.length)) {
    const head = form.slice(0, headLength);
    const known = lengths.get(head);
    if (known === undefined) lengths.set(head, [form.length]);
    else if (known.at(-1) !== form.length) known.push(form.length);
  }
  const firsts = new Set([...lengths.keys()].map((head) => head.charAt(0)));
  return (text) => {
    const pieces: string[] = [];
    let written = 0;
    for (let at = 0; at <= text.length - headLength && firsts.size > 0; at++) {
      if (!firsts.has(text.charAt(at))) continue;
      const length = lengths
        .get(text.slice(at, at + headLength))
        ?.find((one) => forms.has(text.slice(at, at + one)));
      if (length === undefined) continue;
      const end = at + length;
      if (!isMeant(text.slice(Math.max(0, at - BESIDE), at), text.slice(end, end + BESIDE))) continue;
      pieces.push(text.slice(written, at), MASK);
      written = end;
      at = end - 1;
    }
    return written === 0 ? text : pieces.join("") + text.slice(written);
  };
}
