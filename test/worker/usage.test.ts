import { expect, test } from "vitest";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { controlGroup } from "../../src/worker/usage.ts";

/** A machine with these files; version 1 and limits cannot be had on every machine that runs the tests. */
function files(content: Readonly<Record<string, string>>): ProcFiles {
  return {
    self: 1,
    ticksPerSecond: 100,
    ownAgeMs: () => 0,
    pids: () => [1],
    list: () => null,
    link: () => ({ ok: false, problem: "gone" }),
    read(path) {
      const value = content[path];
      return value === undefined ? { ok: false, problem: "gone" } : { ok: true, value };
    },
  };
}

test("version 2, seen from inside its own namespace", () => {
  const proc = files({
    "/proc/7/cgroup": "0::/\n",
    "/sys/fs/cgroup/memory.max": "536870912\n",
    "/sys/fs/cgroup/memory.current": "500000000\n",
    "/sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 100000000\n",
    "/sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 5\noom 3\noom_kill 2\n",
    "/sys/fs/cgroup/cpu.stat": "usage_usec 1\nnr_periods 10\nnr_throttled 4\n",
  });
  expect(controlGroup(proc, 7)).toEqual({
    memoryLimit: 536870912,
    memoryUsed: 400000000,
    oomKills: 2,
    throttled: 4,
  });
});

test("version 1, mounted at the container's own group", () => {
  const proc = files({
    "/proc/7/cgroup": "9:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes": "300\n",
    "/sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 100\n",
    "/sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "/sys/fs/cgroup/cpu/cpu.stat": "nr_periods 0\nnr_throttled 0\n",
  });
  expect(controlGroup(proc, 7)).toEqual({ memoryLimit: null, memoryUsed: 200, oomKills: 1, throttled: 0 });
});

test("none of it can be read", () => {
  expect(controlGroup(files({}), 7)).toEqual({
    memoryLimit: null,
    memoryUsed: null,
    oomKills: null,
    throttled: null,
  });
});
