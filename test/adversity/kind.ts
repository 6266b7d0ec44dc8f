// A kind of adversity: how many cases it has, and how one of them is made of dice.
import type { Dice } from "./dice.ts";
import { type Bounds, faultsOf, overshootOf } from "./faults.ts";
import type { Ran } from "./runner.ts";

/** What one case has shown. */
export interface Result {
  readonly faults: readonly string[];
  readonly overshootMs: number;
  readonly peakMb: number;
  /** What a person needs to see what happened, beside seed and case. */
  readonly evidence: unknown;
}

export interface Kind {
  /** Cases of the whole, and of the short form. */
  readonly cases: readonly [whole: number, short: number];
  /** Default: as many at once as all. */
  readonly alone?: true;
  readonly run: (dice: Dice, position: number) => Promise<Result>;
  /** What has to hold when all cases have run. */
  readonly finish?: () => Promise<readonly string[]>;
}

export type Kinds = Readonly<Record<string, Kind>>;

/** Judges a run, by what holds for all and by what its kind has found. */
export function resultOf(ran: Ran, bounds: Bounds, more: readonly string[], evidence: object): Result {
  return {
    faults: [...faultsOf(ran, bounds), ...more],
    overshootMs: overshootOf(ran, bounds),
    peakMb: ran.peakMb,
    evidence: { ...bounds, ...ran, ...evidence },
  };
}
