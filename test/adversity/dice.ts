// Random numbers that can be repeated: the same seed and case give the same numbers.
import { createHash } from "node:crypto";

export interface Dice {
  /** A whole number from 0 to `limit`, without `limit` itself. */
  readonly below: (limit: number) => number;
  readonly oneOf: <T>(list: readonly T[]) => T;
  /** True once in this many throws, on average. */
  readonly onceIn: (throws: number) => boolean;
  readonly bytes: (length: number) => Buffer;
}

/** Mulberry32. */
export function diceOf(...seed: readonly (string | number)[]): Dice {
  let state = createHash("sha256").update(seed.join("\0")).digest().readUInt32LE();
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    oneOf(list) {
      const item = list[below(list.length)];
      if (item === undefined) throw new Error("nothing to choose from");
      return item;
    },
    onceIn: (throws) => below(throws) === 0,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
