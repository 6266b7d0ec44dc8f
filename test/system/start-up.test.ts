import { expect, test } from "vitest";
import { overBudget, readBudget } from "../../bench/budget.ts";
import { measureStartUp } from "../../bench/start-up.ts";

test("a healthy check starts within the recorded budget of instructions and modules", async () => {
  const budget = await readBudget();
  const { measured, metafile } = await measureStartUp();
  expect(overBudget(budget, measured, metafile)).toEqual([]);
});
