import { expect, test } from "vitest";
import { overBudget, readBudget } from "../../bench/budget.ts";
import { measureStartUp } from "../../bench/start-up.ts";

test("a healthy check starts within the recorded budget of instructions and modules", async () => {
  const { measured, metafile } = await measureStartUp();
  expect(overBudget(await readBudget(), measured, metafile)).toEqual([]);
});
