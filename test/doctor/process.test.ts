import { describe, expect, test } from "vitest";
import { LEVELS } from "../../src/doctor/levels.ts";
import { processes } from "../../src/doctor/topics/process.ts";
import type { Files } from "../../src/machine/parts.ts";
import { procWith, WORKER } from "../health/fake-worker.ts";
import { machine, type Moment } from "./fake-machine.ts";
import { fakeScene, OBSERVED_MS, only } from "./fake-scene.ts";

test.each([
  ["restarts: a worker of a minute in a container of an hour", 60, 3_600, true],
  ["restarts: a worker that is younger than its container by the entrypoint's time", 60, 90, false],
  ["restarts: a worker that was restarted long ago", 7_200, 90_000, false],
  ["restarts: a worker that is the container's first process, or in no container", 60, null, null],
  ["restarts: the same worker after ten minutes", 600, null, false],
  ["restarts: a worker that is no longer young", 600, 3_600, false],
  ["restarts: a worker that is still young", 599.9, 3_600, true],
  ["restarts: a worker that is five minutes younger than its container", 60, 360, false],
  ["restarts: a worker that is a bit more than five minutes younger", 60, 360.1, true],
])("%s", (_, upS, containerUpS, expected) => {
  expect(LEVELS.restarts({ upS, containerUpS })).toBe(
    expected === null ? "skipped" : expected ? "warning" : "ok",
  );
});

async function found(version: 1 | 2, before: Moment, after: Moment = before, pool = "prefork") {
  const files = { look: () => ({ ok: false, problem: "gone" }) } as unknown as Files;
  const { scene } = fakeScene({
    proc: [machine(version, before), machine(version, after)],
    host: { files: () => Promise.resolve(files) },
    told: { stats: { pool: { implementation: `celery.concurrency.${pool}:TaskPool` } } },
  });
  return processes(scene);
}

/** Of a core, in milliseconds. */
const HUNDREDTH = OBSERVED_MS / 100;

describe.each([1, 2] as const)("control groups of version %i", (version) => {
  test.each([
    ["nine tenths of the limit", { limit: 1_000, used: 900 }, "ok"],
    ["more than nine tenths", { limit: 1_000, used: 901 }, "warning"],
    ["more, but the kernel can free enough of it", { limit: 1_000, used: 950, givable: 50 }, "ok"],
    ["more, and the kernel cannot free enough of it", { limit: 1_000, used: 950, givable: 49 }, "warning"],
    ["no limit", { limit: null, used: 901 }, "ok"],
  ])("memory: %s is %s", async (_, moment, level) => {
    expect(only(await found(version, moment), "memory").level).toBe(level);
  });

  test.each([
    [0, "ok"],
    [1, "problem"],
  ])("%i killed processes are %s", async (kills, level) => {
    expect(only(await found(version, { kills }), "oom-kills")).toMatchObject({
      level,
      facts: { count: kills },
    });
  });

  test.each([
    ["held back before the observation, but not during it", 7, 7, HUNDREDTH + 10, "ok", 0],
    ["held back once during the observation", 7, 8, HUNDREDTH + 10, "warning", 1],
    ["held back while the worker took a hundredth of a core", 7, 8, HUNDREDTH, "ok", 1, 0],
    ["held back by the doctor's own work", 7, 9, HUNDREDTH + 10, "ok", 2, HUNDREDTH + 10],
    ["no number of times held back", null, null, HUNDREDTH + 10, "ok", null],
  ])("cpu: %s", async (_, before, after, cpuMs, level, throttled, ownMs = 10) => {
    const findings = await found(version, { throttled: before }, { throttled: after, cpuMs, ownMs });
    expect(only(findings, "cpu")).toMatchObject({ level, facts: { throttled } });
  });
});

test.each([
  ["a twentieth of the machine left", { resident: 95, available: 5 }, "ok"],
  ["less of the machine left", { resident: 96, available: 5 }, "warning"],
])("memory: %s is %s", async (_, moment, level) => {
  expect(only(await found(2, moment), "memory").level).toBe(level);
});

test.each([
  ["prefork", 0.9, "ok"],
  ["prefork", 0.91, "warning"],
  // It runs the tasks.
  ["solo", 1, "ok"],
])("cpu: a main process of %s that takes %d of a core is %s", async (pool, share, level) => {
  const findings = await found(2, { cpuMs: 50 }, { cpuMs: 50 + share * OBSERVED_MS }, pool);
  expect(only(findings, "cpu")).toMatchObject({ level, facts: { main: share, overMs: OBSERVED_MS } });
});

test("without a control group there is no finding about killed processes", async () => {
  const alone = procWith([WORKER], { "/proc/12/status": "VmRSS:\t9 kB\n" });
  const files = { look: () => ({ ok: false, problem: "gone" }) } as unknown as Files;
  const { scene } = fakeScene({ proc: [alone, alone], host: { files: () => Promise.resolve(files) } });
  const findings = await processes(scene);
  expect(findings.map(({ code }) => code)).not.toContain("oom-kills");
  expect(only(findings, "memory")).toMatchObject({ level: "ok", facts: { limit: null, used: null } });
});
