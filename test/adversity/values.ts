// What a worker or a server may say instead of the expected: values, names and texts.
import { PASSWORD } from "./conversation.ts";
import type { Dice } from "./dice.ts";
import { bulk, elementsOf, replaced } from "./resp.ts";

/**
 * Text that has an effect in a terminal, in Markdown or in a table. Each is long, or contains characters that must not
 * be printed raw.
 */
export const HOSTILE = [
  "\x1b[2J\x1b[31mred",
  "\x1b]0;title\x07",
  "line\n```\n# heading\n```",
  "a\rb\x08\x7fc",
  "\x9b31m\x85\x90",
  "\u202egnp.exe\u2066\u200f",
  "\u2028\u2029\ufeff",
  "\0nul\0",
  ...["__proto__", "constructor", "\ud800", "%s%n${HOME}`id`$(id)"],
  "<script>alert(1)</script>|a|b|",
  "x".repeat(20_000),
  `redis://:${PASSWORD}@cache.internal/0`,
] as const;

/** What regular expressions look for, repeated so often that an expression which is not linear takes seconds. */
export function pattern(dice: Dice): string {
  const parts = [
    " ",
    "\n",
    ...`" \\ "\\ NaN 1234567890123456 deadbeef -----BEGIN eyJ. :// :a@ a= ' ( a.`.split(" "),
  ];
  const unit = dice.oneOf(parts) + (dice.onceIn(2) ? dice.oneOf(parts) : "");
  return `${unit.repeat(dice.oneOf([64_000, 160_000]) / unit.length)}NaN`;
}

/** A JSON value that differs from Celery's. */
export function anyValue(dice: Dice): unknown {
  const depth = dice.oneOf([5, 900, 10_000]);
  let deep: unknown = 1;
  for (let level = 0; level < depth; level++) deep = [deep];
  const simple = [null, true, -1, 1e308, 9007199254740993, "", "9".repeat(17)];
  return dice.oneOf([...simple, [], {}, [[]], { a: { b: null } }, deep]);
}

/** The JSON text of a value as deeply nested as {@link anyValue}'s. JSON.stringify has too small a stack for it. */
function jsonOf(value: unknown): string {
  let [open, inner] = [0, value];
  for (; Array.isArray(inner) && inner.length === 1; open++) [inner] = inner as [unknown];
  return "[".repeat(open) + JSON.stringify(inner) + "]".repeat(open);
}

/** Puts another value or name into a worker's answer, inside its base64, or other words into other text. */
export function rewritten(reply: Buffer, dice: Dice, value: () => unknown): Buffer {
  const bulks = (elementsOf(reply) ?? []).filter(({ at, line, end }) => reply[at] === 0x24 && end > line + 4);
  if (bulks.length === 0) return reply;
  const element = dice.oneOf(bulks);
  const text = reply.toString("utf8", element.line + 2, element.end - 2);
  return replaced(reply, element, bulk(inside(text, dice, value)));
}

function inside(text: string, dice: Dice, value: () => unknown): string {
  const other = value();
  const envelope = /^(\{.*"body": ?")([\w+/=]+)(".*)$/s.exec(text);
  if (envelope !== null && !dice.onceIn(4)) {
    const [, before = "", body = "", behind = ""] = envelope;
    const plain = inside(Buffer.from(body, "base64").toString(), dice, () => other);
    return before + Buffer.from(plain).toString("base64") + behind;
  }
  const isJson = /^[[{]/.test(text);
  const places = [
    ...text.matchAll(isJson ? /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|null|true|false/g : /[\w@.:/-]{2,}/g),
  ];
  if (places.length === 0) return text;
  const place = dice.oneOf(places);
  const word = typeof other === "string" && !isJson ? other : jsonOf(other);
  // A name stays a name.
  const isName = isJson && /^\s*:/.test(text.slice(place.index + place[0].length));
  const fit = isName ? JSON.stringify(typeof other === "string" ? other : word.slice(0, 100)) : word;
  return text.slice(0, place.index) + fit + text.slice(place.index + place[0].length);
}
