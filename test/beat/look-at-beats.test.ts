import { expect, test } from "vitest";
import { judgeBeat } from "../../src/beat/beat-verdict.ts";
import { type BeatPlan, lookAtBeats } from "../../src/beat/look-at-beats.ts";
import type { Files } from "../../src/machine/parts.ts";
import { failure } from "../../src/outcome.ts";
import { fakeHost } from "../health/fake-host.ts";
import { fakeProc } from "../worker/fake-proc.ts";

const PLAN: BeatPlan = {
  maxAgeS: null,
  settings: { schedule: null, scheduler: null, filename: null },
  lock: { kind: "default" },
  named: null,
  isInside: true,
};

const NO_FILES = { look: () => failure("gone") } as Partial<Files> as Files;

const FROZEN = {
  "/proc/12/cgroup": "0::/c1\n",
  "/sys/fs/cgroup/c1/cgroup.events": "populated 1\nfrozen 1\n",
};

/** What is said of a beat whose process is in this state at first, and after 100 ms. */
async function said(states: readonly [string, string], files: Readonly<Record<string, string>> = {}) {
  const proc = (time: number) => {
    const words = ["python", "/venv/bin/celery", "beat"];
    return fakeProc([{ pid: 12, words, state: states[time < 100 ? 0 : 1] }], {
      "/proc/uptime": "1000.00 0.00\n",
      ...files,
    });
  };
  const host = { ...fakeHost({ proc }), files: () => Promise.resolve(NO_FILES) };
  const evidence = await lookAtBeats(host, PLAN, () => Promise.resolve(null));
  return { reason: judgeBeat(evidence).reason, tookMs: host.now() - 30 };
}

test.each<[string, readonly [string, string], Readonly<Record<string, string>>, string]>([
  ["is stopped when a signal has stopped it", ["T", "T"], {}, "stopped"],
  ["is stopped when its group is frozen", ["S", "S"], FROZEN, "stopped"],
  ["runs when a debugger holds it", ["t", "t"], {}, "running"],
  ["runs when it goes on after a moment", ["T", "S"], {}, "running"],
])("a beat %s", async (_, states, files, reason) => {
  expect((await said(states, files)).reason).toBe(reason);
});

test("nothing is waited for when a beat runs", async () => {
  expect((await said(["S", "S"])).tookMs).toBe(0);
});
