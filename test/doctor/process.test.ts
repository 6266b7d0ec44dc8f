import { describe, expect, test } from "vitest";
import { isRestarted, processes } from "../../src/doctor/topics/process.ts";
import type { Files } from "../../src/machine/parts.ts";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { procWith, WORKER } from "../health/fake-worker.ts";
import { SELF } from "../worker/fake-proc.ts";
import { fakeScene, OBSERVED_MS, only } from "./fake-scene.ts";

test.each([
  ["a minute old in a container of an hour", 60, 3_600, true],
  ["as old as its container, but for the time that the entrypoint takes", 60, 90, false],
  ["restarted long ago", 7_200, 90_000, false],
  ["the container's own first process, or on no container", 60, null, false],
  ["just no longer young", 600, 3_600, false],
  ["just young", 599.9, 3_600, true],
  ["five minutes younger than its container", 60, 360, false],
  ["a bit more than five minutes younger", 60, 360.1, true],
])("%s", (_, upS, containerUpS, expected) => {
  expect(isRestarted({ upS, containerUpS })).toBe(expected);
});

/** What can be read of the worker's process and its container at one moment. */
interface Moment {
  /** Kilobytes. */
  readonly resident?: number;
  readonly available?: number;
  /** Bytes of the container; `null`: it has no limit. */
  readonly limit?: number | null;
  readonly used?: number;
  readonly givable?: number;
  readonly kills?: number;
  /** null: the container has no share of its own. */
  readonly throttled?: number | null;
  /** CPU time since its start, in milliseconds. */
  readonly cpuMs?: number;
  /** The doctor's own. */
  readonly ownMs?: number;
}

/**
 * A machine with a worker in a container of this version of control groups. A fake one: limits, kills and throttling to
 * the very number cannot be had of a kernel; test/system/limits.test.ts has real ones.
 */
function machine(version: 1 | 2, moment: Moment): ProcFiles {
  const { resident = 1_000, available = 1_000_000, limit = null, used = 500, givable = 0 } = moment;
  const { kills = 0, throttled = 0, cpuMs = 0, ownMs = 0 } = moment;
  const stat = (pid: number, ms: number) =>
    `${pid} (python) S 1 7 7 0 -1 4194304 9 0 0 0 ${ms / 10} 0 0 0 20 0 1 0 5000 0\n`;
  const cpu = throttled === null ? "usage_usec 1\n" : `nr_periods 10\nnr_throttled ${throttled}\n`;
  const group: Record<string, string> =
    version === 2
      ? {
          "/proc/12/cgroup": "0::/\n",
          "/sys/fs/cgroup/memory.max": limit === null ? "max\n" : `${limit}\n`,
          "/sys/fs/cgroup/memory.current": `${used}\n`,
          "/sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${givable}\n`,
          "/sys/fs/cgroup/memory.events": `oom 9\noom_kill ${kills}\n`,
          "/sys/fs/cgroup/cpu.stat": cpu,
        }
      : {
          "/proc/12/cgroup": "9:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${limit ?? "9223372036854771712"}\n`,
          "/sys/fs/cgroup/memory/memory.usage_in_bytes": `${used}\n`,
          "/sys/fs/cgroup/memory/memory.stat": `inactive_file 7\ntotal_inactive_file ${givable}\n`,
          "/sys/fs/cgroup/memory/memory.oom_control": `under_oom 0\noom_kill ${kills}\n`,
          "/sys/fs/cgroup/cpu/cpu.stat": cpu,
        };
  return procWith([WORKER], {
    "/proc/12/status": `Name:\tpython\nPPid:\t1\nVmRSS:\t${resident} kB\n`,
    "/proc/12/stat": stat(12, cpuMs),
    [`/proc/${SELF}/stat`]: stat(SELF, ownMs),
    "/proc/meminfo": `MemTotal: 9000000 kB\nMemAvailable: ${available} kB\n`,
    ...group,
  });
}

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

describe.each([1, 2] as const)("of control groups of version %i", (version) => {
  test.each([
    ["nine tenths of the limit", { limit: 1_000, used: 900 }, "ok"],
    ["more than that", { limit: 1_000, used: 901 }, "warning"],
    ["more, which the kernel can give up", { limit: 1_000, used: 950, givable: 50 }, "ok"],
    ["more, of which the kernel can give up too little", { limit: 1_000, used: 950, givable: 49 }, "warning"],
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
    ["held back before, and not meanwhile", 7, 7, HUNDREDTH + 10, "ok", 0],
    ["held back once meanwhile", 7, 8, HUNDREDTH + 10, "warning", 1],
    ["held back while the worker took a hundredth of a core", 7, 8, HUNDREDTH, "ok", 1, 0],
    ["held back by what the doctor does", 7, 9, HUNDREDTH + 10, "ok", 2, HUNDREDTH + 10],
    ["not told", null, null, HUNDREDTH + 10, "ok", null],
  ])("cpu: %s", async (_, before, after, cpuMs, level, throttled, ownMs = 10) => {
    const findings = await found(version, { throttled: before }, { throttled: after, cpuMs, ownMs });
    expect(only(findings, "cpu")).toMatchObject({ level, facts: { throttled } });
  });
});

test.each([
  ["a twentieth of the machine left", { resident: 95, available: 5 }, "ok"],
  ["less left", { resident: 96, available: 5 }, "warning"],
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

test("where nothing is told of a control group, nothing is said of kills", async () => {
  const alone = procWith([WORKER], { "/proc/12/status": "VmRSS:\t9 kB\n" });
  const files = { look: () => ({ ok: false, problem: "gone" }) } as unknown as Files;
  const { scene } = fakeScene({ proc: [alone, alone], host: { files: () => Promise.resolve(files) } });
  const findings = await processes(scene);
  expect(findings.map(({ code }) => code)).not.toContain("oom-kills");
  expect(only(findings, "memory")).toMatchObject({ level: "ok", facts: { limit: null, used: null } });
});
