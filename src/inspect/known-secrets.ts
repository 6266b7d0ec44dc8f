import { type Hide, MASK } from "./mask.ts";

/** A secret of so many characters is taken out wherever it stands; shorter ones are words of their own. */
const SHORTEST = 6;

/** The shortest secret that is taken out where it stands as a word. */
const SHORTEST_WORD = 3;

/** Takes secrets that are known out of a text, wherever they stand; short ones stay. */
export function hiderOfLong(known: readonly string[]): Hide {
  const long = known.filter(({ length }) => length >= SHORTEST);
  return replacing(long, SHORTEST, () => true);
}

/** Takes short secrets that are known out of a text, where nothing else is a part of the same word. */
export function hiderOfWords(known: readonly string[]): Hide {
  const short = known.filter(({ length }) => length >= SHORTEST_WORD && length < SHORTEST);
  // The scheme of a URL is not a secret: many have the password `redis`.
  return replacing(
    short.filter((secret) => !/^\*+$/.test(secret)),
    SHORTEST_WORD,
    (before, after) => !/[\p{L}\p{N}_]$/u.test(before) && !/^(?:[\p{L}\p{N}_]|:\/\/)/u.test(after),
  );
}

/** A secret as it is, as it stands in a URL, and as it stands in JSON. */
function formsOf(secret: string): readonly string[] {
  return [secret, encodedForm(secret), JSON.stringify(secret).slice(1, -1)];
}

/** Half a character cannot be encoded. */
function encodedForm(secret: string): string {
  return encodeURIComponent(secret.toWellFormed());
}

/** Characters that are looked at beside a word: a letter may have two. */
const BESIDE = 3;

/**
 * Finds them by their first characters, so that a text is gone through once, however many secrets an environment has.
 *
 * @param headLength how many characters the shortest has
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
