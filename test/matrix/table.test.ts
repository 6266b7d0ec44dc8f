import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cellsOf, NEWEST, POOLS, reasonOfEmptiness, VERSIONS } from "./grid.ts";
import { asksOf, type State } from "./state.ts";
import { STATES } from "./table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/reasons.md"), "utf8");
const documentedReasons = [...PAGE.matchAll(/^## `([\w-]+)`$/gm)].map(([, reason = ""]) => reason);

const expectedReasons = new Set(
  STATES.flatMap((state) => cellsOf(state).flatMap((cell) => asksOf(state, cell)))
    .flatMap(({ expect: words, or }) => (or === undefined ? [words] : [words, or]))
    .map((words) => words.split(": ")[1] ?? ""),
);

test("the table names each state once, as a file or an anchor can be named", () => {
  const ids = STATES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

describe.each(STATES)("the state $id", (state: State) => {
  test("has a cell, and an expected answer in each", () => {
    const cells = cellsOf(state);
    expect(cells.length).toBeGreaterThan(0);
    for (const cell of cells) expect(asksOf(state, cell).length).toBeGreaterThan(0);
  });

  test("says of each empty cell why it is empty", () => {
    const filled = new Set(cellsOf(state).map(({ pool, celery }) => `${pool} ${celery}`));
    const all = POOLS.flatMap((pool) => VERSIONS.map((celery) => ({ pool, celery })));
    const silent = all
      .filter(({ pool, celery }) => !filled.has(`${pool} ${celery}`))
      .filter((cell) => (reasonOfEmptiness(state, cell) ?? "") === "");
    expect(silent).toEqual([]);
  });
});

test.each(["idle", "full", "blocked-sleep", "blocked-child", "blocked-cpu", "blocked-gil"])(
  "the state %s is made with every Celery wherever it is made at all",
  (id) => {
    const cells = STATES.filter((state) => state.id === id).flatMap(cellsOf);
    for (const pool of new Set(cells.map((cell) => cell.pool))) {
      expect(cells.filter((cell) => cell.pool === pool).map(({ celery }) => celery)).toEqual(VERSIONS);
    }
  },
);

test.each(POOLS)("the pool %s has states that are made with the newest Celery", (pool) => {
  const cells = STATES.flatMap(cellsOf).filter((cell) => cell.pool === pool && cell.celery === NEWEST);
  expect(cells.length).toBeGreaterThan(3);
});

test.each(documentedReasons)("the reason %s of docs/reasons.md is expected of a state", (reason) => {
  expect([...expectedReasons]).toContain(reason);
});

test.each([...expectedReasons])("the expected reason %s has a section in docs/reasons.md", (reason) => {
  expect(documentedReasons).toContain(reason);
});
