// A kind of adversity: how many cases it has, and how the dice make one of them.
import type { Dice } from "./dice.ts";
import { type Bounds, faultsOf, overshootOf } from "./faults.ts";
import type { Ran } from "./runner.ts";

/** The result of one case. */
export interface Result {
  readonly faults: readonly string[];
  readonly overshootMs: number;
  readonly peakMb: number;
  /** What a developer needs to understand it, besides seed and case. */
  readonly evidence: unknown;
}

export interface Kind {
  /** The number of cases in the whole run, and in the short form. */
  readonly cases: readonly [whole: number, short: number];
  /** Default: runs together with the cases of other kinds. */
  readonly alone?: true;
  readonly run: (dice: Dice, position: number) => Promise<Result>;
  /** What must hold when all cases have run. */
  readonly finish?: () => Promise<readonly string[]>;
}

export type Kinds = Readonly<Record<string, Kind>>;

/** Judges a run by the general rules and by what its kind has found. */
export function resultOf(ran: Ran, bounds: Bounds, more: readonly string[], evidence: object): Result {
  return {
    faults: [...faultsOf(ran, bounds), ...more],
    overshootMs: overshootOf(ran, bounds),
    peakMb: ran.peakMb,
    evidence: { ...bounds, ...ran, ...evidence },
  };
}
