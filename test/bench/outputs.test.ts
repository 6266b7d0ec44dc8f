import { expect, test } from "vitest";
import { totalOf } from "../../bench/callgrind.ts";
import { memoryMounts } from "../../bench/cgroup.ts";
import { readReport } from "../../bench/run.ts";

test("the launcher's line is read in its units", () => {
  expect(readReport("7198470 3130 1030 6992 1")).toEqual({
    cost: { wallMs: 7.19847, cpuMs: 4.16, peakBytes: 7_159_808 },
    exitCode: 1,
  });
});

test.each(["", "7198470 3130 3130 6992", "1 2 3 4 -5", "run: vfork: no memory"])(
  "another line than the launcher's is refused: '%s'",
  (line) => {
    expect(() => readReport(line)).toThrow("the launcher said");
  },
);

test("the sum in callgrind's file is found under both of its names", () => {
  expect(totalOf("events: Ir\nfn=(1) main\n16 400\n\ntotals: 84470498\n")).toBe(84_470_498);
  expect(totalOf("events: Ir\nsummary: 12\n\nfn=(1) main\n16 400\n")).toBe(12);
  expect(() => totalOf("events: Ir\n")).toThrow("no total");
});

const V1 = "34 25 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
const V1_CPU = "31 25 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu";
const V2 = "30 25 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";

test.each([
  { what: "version 2 alone", mounts: [V2], first: { folder: "/sys/fs/cgroup", version: 2 } },
  {
    what: "both, where version 1 has the memory controller",
    mounts: [V2, V1_CPU, V1],
    first: { folder: "/sys/fs/cgroup/memory", version: 1 },
  },
  { what: "version 1 without it", mounts: [V1_CPU], first: undefined },
])("memory cgroups are found with $what", ({ mounts, first }) => {
  expect(memoryMounts(`${mounts.join("\n")}\n`)[0]).toEqual(first);
});
