import { expect, test } from "vitest";
import { takenBy } from "../../src/cli/command-options.ts";
import { parse } from "../../src/cli/parse.ts";
import { watch } from "../../src/commands/watch.ts";
import { run } from "../../src/app.ts";
import type { Host } from "../../src/host.ts";
import { brokerWith, fakeHost } from "../health/fake-host.ts";

test("one picture waits 4.5 s and a last look when no worker answers and each write is slow", async () => {
  const argv = ["--once", "--broker", "redis://redis/0"];
  const host = fakeHost({ argv, roundTripMs: 900, broker: brokerWith(3, () => []) });
  const parsed = parse(["watch", ...argv], {}, takenBy("watch"));
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  await watch(parsed.value, host);
  expect(host.now()).toBeLessThan(5_600);
});

const never = () => new Promise<never>(() => undefined);

test.each<[string, Partial<Host>]>([
  ["connects", { connect: never }],
  ["looks up the broker's name", { addressesOf: never }],
  ["asks for a terminal", { terminal: never }],
  ["waits for the first answer", {}],
])("a signal ends watch with 0, and watch --once with 1, while it %s", async (_, waits) => {
  const ended = (...more: readonly string[]) => {
    const argv = ["watch", "--broker", "redis://redis/0", ...more];
    const fake = fakeHost({ argv, interruptedAt: 500, broker: () => "late" });
    return run({ ...fake, ...waits });
  };
  expect(await ended()).toStrictEqual({ stdout: "", stderr: "", exitCode: 0 });
  expect(await ended("--once")).toMatchObject({
    stdout: "",
    stderr: "celery-probe: ended by SIGTERM\n",
    exitCode: 1,
  });
});
