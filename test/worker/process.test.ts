import { expect, test } from "vitest";
import { examine } from "../../src/worker/process.ts";
import { type FakeProcess, fakeProc, MASKS } from "./fake-proc.ts";

const UPTIME = { "/proc/uptime": "3070.51 5512.20\n" };

const look = (process: Omit<FakeProcess, "pid">, files: Readonly<Record<string, string | null>> = {}) =>
  examine(fakeProc([{ pid: 20, ...process }], { ...UPTIME, ...files }), 20, 5000);

const pool = (pids: readonly number[], parent = 20) =>
  pids.map((pid): FakeProcess => ({ pid, parent, ...MASKS.pool }));

test("examine tells what a process does when it runs", () => {
  expect(
    examine(
      fakeProc([{ pid: 20 }, ...pool([21, 22, 27]), { pid: 28, parent: 20 }], {
        ...UPTIME,
        "/proc/20/task/20/children": "21 22 28 ",
        "/proc/20/task/25/children": "",
        "/proc/20/task/26/children": "27 ",
      }),
      20,
      5000,
    ),
  ).toEqual({
    state: "running",
    frozen: false,
    frozenForMs: 0,
    ageMs: 3_020_510,
    voluntarySwitches: 41,
    waitsForEvents: false,
    children: 3,
    handlesSignals: true,
  });
});

test.each([
  ["imports its application", MASKS.importing],
  ["does so in the background of a shell", MASKS.importingInBackground],
])("examine sees no handlers of signals when a worker %s", (_, masks) => {
  expect(look(masks)?.handlesSignals).toBe(false);
});

test("examine calls no zombie frozen when its group is", () => {
  const group = {
    "/proc/20/cgroup": "0::/c1\n",
    "/sys/fs/cgroup/c1/cgroup.events": "populated 1\nfrozen 1\n",
  };
  expect(look({ state: "Z" }, group)?.frozen).toBe(false);
  expect(look({ state: "T" }, group)).toMatchObject({ state: "stopped", frozen: true });
});

test.each([
  ["R", "running"],
  ["S", "running"],
  ["D", "running"],
  ["T", "stopped"],
  ["t", "traced"],
  ["Z", "zombie"],
  ["X", "zombie"],
])("examine calls the state %s %s when the kernel does", (state, expected) => {
  expect(look({ state })?.state).toBe(expected);
});

test("examine is not misled when the name of a process looks like the rest of the line", () => {
  expect(look({ comm: "a) Z 1 (b", state: "T" })?.state).toBe("stopped");
});

test("examine gives null when the process is gone or its number another's", () => {
  expect(look({ startTicks: 5001 })).toBeNull();
  expect(examine(fakeProc([], UPTIME), 20, 5000)).toBeNull();
});

test("examine counts by parents when the kernel keeps no list of children", () => {
  const proc = fakeProc([{ pid: 20 }, ...pool([21, 22]), ...pool([23], 21), { pid: 24, parent: 20 }], {
    ...UPTIME,
    "/proc/20/task/20/stat": "",
  });
  expect(examine(proc, 20, 5000)?.children).toBe(2);
});

test("examine tells for how long its group has been frozen when the kernel does", () => {
  const group = { "/proc/20/cgroup": "1:name=systemd:/x\n0::/c1\n" };
  const told = "frozen_usec 2010496\n";
  expect(look({}, { ...group, "/sys/fs/cgroup/c1/cgroup.stat.local": told })?.frozenForMs).toBe(2_010.496);
  const root = { "/proc/20/cgroup": "0::/\n", "/sys/fs/cgroup/unified/cgroup.stat.local": told };
  expect(look({}, root)?.frozenForMs).toBe(2_010.496);
  const outside = { "/proc/20/cgroup": "0::/../c1\n", "/sys/fs/cgroup/cgroup.stat.local": told };
  expect(look({}, outside)?.frozenForMs).toBe(0);
});

test.each([
  ["ep_poll", true],
  ["do_epoll_wait", true],
  ["0", false],
  ["futex_wait_queue", false],
  [null, false],
])("examine sees in the kernel's %s whether the main thread waits for events", (waitsIn, expected) => {
  expect(look({}, { "/proc/20/wchan": waitsIn })?.waitsForEvents).toBe(expected);
});

test("examine gives no negative age and no switches when the kernel tells neither", () => {
  const status = "Name:\tpython\nSigIgn:\t0000000000000000\n";
  expect(look({}, { "/proc/uptime": "", "/proc/20/status": status })).toMatchObject({
    ageMs: 0,
    voluntarySwitches: null,
  });
});
