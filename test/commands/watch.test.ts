import { expect, test } from "vitest";
import { takenBy } from "../../src/cli/command-options.ts";
import { parse } from "../../src/cli/parse.ts";
import { watch } from "../../src/commands/watch.ts";
import { brokerWith, fakeHost } from "../health/fake-host.ts";

test("one picture waits for 4.5 s and a last look when what was asked is answered by nobody, and each write takes long", async () => {
  const argv = ["--once", "--broker", "redis://redis/0"];
  const host = fakeHost({ argv, roundTripMs: 900, broker: brokerWith(3, () => []) });
  const parsed = parse(["watch", ...argv], {}, takenBy("watch"));
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  await watch(parsed.value, host);
  expect(host.now()).toBeLessThan(5_600);
});
