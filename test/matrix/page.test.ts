import { expect, test } from "vitest";
import { cellsWith, POOLS } from "./grid.ts";
import { matrixPage } from "./page.ts";
import type { Answer, CellResult } from "./run-cell.ts";
import type { Ask, State } from "./state.ts";
import { countWrongs } from "./wrongs.ts";

function state(id: string, ...asks: Ask[]): State {
  return {
    id,
    title: `it is ${id}`,
    asks,
    where: cellsWith(["prefork", "solo"], ["5.2.7", "5.7.0"], "it has none"),
    otherVersions: "nothing else is known",
    make: () => Promise.reject(new Error("no world is made here")),
  };
}

function answer(verdict: string, exitCode: number, problem: string | null = null): Answer {
  return { verdict, line: `${verdict}: so it said`, exitCode, ms: 7, problem };
}

function result(shellLine: number | null, ...answers: Answer[]): CellResult {
  return { answers, proof: "3 connections", shellLine, failure: null };
}

const BUSY = state("busy", { expect: "healthy: busy" });
const DEAD = state("gone", { expect: "unhealthy: dead" });
const UNKNOWN = state("unknown", { expect: "unknown: undecided" });

test.each([
  [
    "right answers count as nothing",
    BUSY,
    result(0, answer("healthy: busy", 0)),
    { falseDead: 0, falseAlive: 0 },
  ],
  [
    "a failure of a well worker is false dead",
    BUSY,
    result(0, answer("unhealthy: hung", 1)),
    { falseDead: 4, falseAlive: 0 },
  ],
  [
    "not to know of a well worker is false dead",
    BUSY,
    result(0, answer("unknown: undecided", 1)),
    { falseDead: 4, falseAlive: 0 },
  ],
  [
    "a pass for a dead worker is false alive",
    DEAD,
    result(69, answer("healthy: busy", 0)),
    { falseDead: 0, falseAlive: 4 },
  ],
  [
    "not to know of a dead worker is neither",
    DEAD,
    result(69, answer("unknown: undecided", 1)),
    { falseDead: 0, falseAlive: 0 },
  ],
  [
    "a judgement where nothing is known is false dead",
    UNKNOWN,
    result(69, answer("unhealthy: dead", 1)),
    { falseDead: 4, falseAlive: 0 },
  ],
] as const)("the counts of the probe: %s", (_what, one, cell, wrongs) => {
  expect(countWrongs([one], () => cell).probe).toEqual(wrongs);
});

test("the counts of the shell line take a pong of a dead worker and a silence of a well one", () => {
  const shellLine = (one: State, exit: number | null) => countWrongs([one], () => result(exit)).shellLine;
  expect(shellLine(BUSY, 69)).toEqual({ falseDead: 4, falseAlive: 0 });
  expect(shellLine(BUSY, null)).toEqual({ falseDead: 4, falseAlive: 0 });
  expect(shellLine(DEAD, 0)).toEqual({ falseDead: 0, falseAlive: 4 });
  expect(shellLine(UNKNOWN, 0)).toEqual({ falseDead: 0, falseAlive: 0 });
});

test("the page shows each result, each cell that was not run, and why a cell is empty", () => {
  const page = matrixPage([BUSY, DEAD], (one, { pool, celery }) => {
    if (one === DEAD) return result(69, answer("unhealthy: stopped", 1, "expected unhealthy: dead"));
    return pool === "solo" && celery === "5.2.7" ? undefined : result(69, answer("healthy: busy", 0));
  });
  expect(page).toContain("| prefork | busy<br>ping 69 | busy<br>ping 69 |");
  expect(page).toContain("| solo | not run | busy<br>ping 69 |");
  expect(page).toContain("| solo | **wrong: stopped**<br>ping 69 |");
  expect(page).toContain("| [`busy`](#busy) | it is busy | 3 of 4 | 0 / 0 | 3 / 0 |");
  expect(page).toContain("Proven by: n connections.");
  expect(page).toContain("threads, gevent, eventlet (it has none)");
  expect(page).toContain("other versions (nothing else is known)");
  for (const pool of POOLS.slice(2)) expect(page).not.toContain(`| ${pool} |`);
});
