import { test } from "vitest";
import { expectNoTraces } from "../e2e/traces.ts";

test("1,000 probes leave one key in all, and connections and bindings as they were", async () => {
  await expectNoTraces(1_000);
});
