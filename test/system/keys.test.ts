import { test } from "vitest";
import { expectNoTraces } from "../e2e/traces.ts";

test("1,000 probes leave a single key, and do not change connections and bindings", async () => {
  await expectNoTraces(1_000);
});
