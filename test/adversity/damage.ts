// The kinds of damage to a reply. Each is one function. Its random numbers come from the dice of its case.
import { PASSWORD } from "./conversation.ts";
import type { Dice } from "./dice.ts";
import type { Damage, Piece } from "./replay.ts";
import { bulk, elementsOf, type Head, replaced } from "./resp.ts";
import { anyValue, HOSTILE, pattern, rewritten } from "./values.ts";

type Hit = (reply: Buffer, dice: Dice) => readonly Piece[];

const NUMBERS = [
  "",
  "9".repeat(400),
  ..."-1 -2 0 -0 1e9 NaN 536870912 2147483647 4294967296 9007199254740993".split(" "),
];

/** Names of errors of Redis, and names that a plain object has. */
const NAMES = [
  ...["", " ", "\x1b[31m", "MOVED 1 1.2.3.4:1"],
  ..."constructor __proto__ toString hasOwnProperty then NOAUTH WRONGPASS LOADING READONLY OOM NOPERM ERR".split(
    " ",
  ),
];

/** Messages that were not requested, with blanks for CRLF. */
const PUSHES = [
  "$-1",
  "*-1",
  "*0",
  "+OK",
  ":1",
  ">2 +a +b",
  "*1 $7 message",
  "*2 $8 pmessage $1 x",
  "*3 $7 message $1 x $-1",
]
  .concat("*4 $8 pmessage $1 * $1 x $1 {", "*3 $9 subscribe $-1 :1")
  .map((text) => `${text.replaceAll(" ", "\r\n")}\r\n`);

function anElement(reply: Buffer, dice: Dice, types = /./): Head {
  const all = elementsOf(reply) ?? [{ at: 0, line: 0, end: reply.length }];
  const fit = all.filter(({ at }) => types.test(reply.toString("latin1", at, at + 1)));
  return dice.oneOf(fit.length > 0 ? fit : all);
}

function nested(dice: Dice): Buffer {
  const depth = dice.oneOf([10, 300, 5_000, 10_000, 100_000]);
  const ends = ["[", '{"a":', "[{"].map((open) => open.repeat(depth));
  if (dice.onceIn(3)) return Buffer.from("*1\r\n".repeat(depth) + ":1\r\n");
  if (dice.onceIn(20)) return bulk("[".repeat(25_000_000));
  return bulk(dice.oneOf([...ends, "[".repeat(depth) + "]".repeat(depth), '{"body":' + "[".repeat(160_000)]));
}

export const DAMAGES = {
  flip(reply, dice) {
    const bytes = Buffer.from(reply);
    for (let left = 1 + dice.below(4); left > 0; left--) bytes[dice.below(bytes.length)] = dice.below(256);
    return [bytes];
  },
  cut(reply, dice) {
    const start = reply.subarray(0, dice.below(reply.length));
    return [start, ...dice.oneOf<readonly Piece[]>([[], ["mute"], ["close"]])];
  },
  duplicate(reply, dice) {
    if (dice.onceIn(2)) return [Buffer.concat([reply, reply])];
    const at = dice.below(reply.length);
    const end = at + dice.below(reply.length - at);
    return [Buffer.concat([reply.subarray(0, end), reply.subarray(at)])];
  },
  insert(reply, dice) {
    const at = dice.below(reply.length + 1);
    return [replaced(reply, { at, end: at }, dice.bytes(1 + dice.below(64)))];
  },
  types(reply, dice) {
    const { at } = anElement(reply, dice);
    return [replaced(reply, { at, end: at + 1 }, dice.oneOf("+ - : $ * _ # , ( ! = % ~ > | . x".split(" ")))];
  },
  numbers(reply, dice) {
    const { at, line } = anElement(reply, dice, /[$*:]/);
    return [replaced(reply, { at: at + 1, end: Math.max(line, at + 1) }, dice.oneOf(NUMBERS))];
  },
  nesting: (reply, dice) => [replaced(reply, anElement(reply, dice), nested(dice))],
  nulls: (reply, dice) => [
    replaced(reply, anElement(reply, dice), dice.oneOf(["$-1\r\n", "*-1\r\n", "*0\r\n", "$0\r\n\r\n"])),
  ],
  pushes(reply, dice) {
    const push = Buffer.from(dice.oneOf(PUSHES));
    return dice.onceIn(2) ? [push, reply] : [Buffer.concat([reply, push])];
  },
  errors(reply, dice) {
    const error = `-${dice.oneOf(NAMES)} ${dice.oneOf(["x", "", ...HOSTILE.slice(0, 6)])}\r\n`;
    return [replaced(reply, dice.onceIn(3) ? anElement(reply, dice) : { at: 0, end: reply.length }, error)];
  },
  split(reply, dice) {
    const at = dice.below(reply.length + 1);
    return [reply.subarray(0, at), reply.subarray(at)];
  },
  echo(reply, dice) {
    const text = dice.oneOf([PASSWORD, `invalid password ${PASSWORD}`, `redis://:${PASSWORD}@10.0.0.1/0`]);
    const forms = [
      bulk(text),
      `+${text}\r\n`,
      `-ERR ${text}\r\n`,
      `-${text}\r\n`,
      Buffer.concat([Buffer.from("*1\r\n"), bulk(text)]),
    ];
    return [replaced(reply, anElement(reply, dice), dice.oneOf(forms))];
  },
  values: (reply, dice) => [rewritten(reply, dice, () => anyValue(dice))],
  patterns: (reply, dice) => [
    dice.onceIn(2)
      ? replaced(reply, anElement(reply, dice, /\$/), bulk(pattern(dice)))
      : rewritten(reply, dice, () => pattern(dice)),
  ],
  hostile: (reply, dice) => [rewritten(reply, dice, () => dice.oneOf(HOSTILE))],
  size(reply, dice) {
    const megabytes = dice.oneOf([1, 10, 30, 100]);
    const filling = dice.oneOf(["x", "[", "7", "\xff", "ab "]);
    const text = Buffer.alloc(megabytes * 1_000_000, filling, "latin1");
    const more = dice.onceIn(2)
      ? bulk(text)
      : Buffer.concat([Buffer.from("*2\r\n:9007199254740993\r\n"), bulk(text)]);
    return [replaced(reply, anElement(reply, dice), more)];
  },
} as const satisfies Readonly<Record<string, Hit>>;

/** Damages one reply, sometimes several. `order` is the only kind that needs two replies: the next one goes first. */
export function damageOf(kind: keyof typeof DAMAGES | "order", replies: number, dice: Dice): Damage {
  // Prefers an early reply: after an early damage, a run may not reach the later ones.
  const target = dice.below(1 + dice.below(replies));
  const isEvery = kind !== "size" && dice.onceIn(kind === "split" ? 2 : 12);
  let held: Buffer | null = null;
  let isHit = false;
  return (reply, position) => {
    const earlier = held;
    held = null;
    if (kind === "order") {
      if (earlier !== null) return [Buffer.concat([reply, earlier])];
      if (position !== target) return [reply];
      held = reply;
      return [];
    }
    if (reply.length === 0 || position < target || (isHit && !isEvery)) return [reply];
    const pieces = DAMAGES[kind](reply, dice);
    // If this reply cannot be damaged in this way, the next one is tried.
    isHit ||= pieces[0] !== reply;
    return pieces;
  };
}
