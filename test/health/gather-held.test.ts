import { expect, test } from "vitest";
import { gatherHeld } from "../../src/health/gather-held.ts";
import { success } from "../../src/outcome.ts";
import { ok } from "./fake-host.ts";

test("tasks begun are added up as far as their counts are counts", async () => {
  const said: Readonly<Record<string, unknown>> = {
    conf: {},
    registered: [],
    stats: { total: { odd: { toString: 1 }, text: "7", below: -5, few: 2, many: 3 } },
  };
  const held = await gatherHeld({
    ask: ({ method }) => Promise.resolve(said[method]),
    beats: false,
    send: () => Promise.resolve(success([ok(3), ok([])])),
    prefix: "",
    nowS: 0,
  });
  expect(held).toEqual({ kind: "told", deliveries: 3, mayBeHeld: 3, begun: 5 });
});
