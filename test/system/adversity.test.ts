import { expect, test } from "vitest";
import { runAdversity } from "../adversity/adversity.ts";
import { EXECUTABLE } from "../e2e/probe.ts";

test("no input does harm, in a few hundred cases of every kind", async () => {
  const told: string[] = [];
  const table = await runAdversity({
    executable: EXECUTABLE,
    seed: 1,
    only: null,
    cases: null,
    first: 0,
    isShort: true,
    tell: (line) => told.push(line),
  });
  expect(
    table.filter(({ faults }) => faults > 0),
    told.join("\n"),
  ).toEqual([]);
});
