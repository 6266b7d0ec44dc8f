import { cellsOf } from "./grid.ts";
import type { ReadResult } from "./page.ts";
import { asksOf, type Cell, type State } from "./state.ts";

/** Whether the worker needs a restart, whoever says what. */
export type Truth = "well" | "sick" | "untold";

export interface Wrongs {
  /** Would have restarted a worker that needs no restart, or of which nothing is known. */
  readonly falseDead: number;
  /** Would have left alone a worker that needs a restart. */
  readonly falseAlive: number;
}

export function truthOf(state: State, cell: Cell): Truth {
  if (state.truth !== undefined) return state.truth(cell);
  const status = asksOf(state, cell)[0]?.expect.split(":")[0];
  return status === "healthy" ? "well" : status === "unhealthy" ? "sick" : "untold";
}

/** Both counts over all cells of these states, of the probe and of the line that it replaces. */
export function countWrongs(
  states: readonly State[],
  read: ReadResult,
): { readonly probe: Wrongs; readonly shellLine: Wrongs } {
  const probe = { falseDead: 0, falseAlive: 0 };
  const shellLine = { falseDead: 0, falseAlive: 0 };
  for (const state of states) {
    for (const cell of cellsOf(state)) {
      const result = read(state, cell);
      if (result === undefined) continue;
      asksOf(state, cell).forEach(({ expect, exit }, place) => {
        const answer = result.answers[place];
        if (answer === undefined) return;
        const mayExitWithOne = (exit ?? (expect.startsWith("healthy") ? 0 : 1)) === 1;
        const saysUnhealthy = answer.verdict.startsWith("unhealthy");
        if (answer.exitCode !== 0 && !mayExitWithOne) probe.falseDead += 1;
        else if (saysUnhealthy && expect.startsWith("unknown")) probe.falseDead += 1;
        if (answer.exitCode === 0 && expect.startsWith("unhealthy")) probe.falseAlive += 1;
      });
      const truth = truthOf(state, cell);
      if (result.shellLine === undefined) continue;
      // Killed after a minute: an orchestrator's timeout counts as a failure.
      if (truth === "well" && result.shellLine !== 0) shellLine.falseDead += 1;
      if (truth === "sick" && result.shellLine === 0) shellLine.falseAlive += 1;
    }
  }
  return { probe, shellLine };
}
