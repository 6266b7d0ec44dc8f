import { expect, test } from "vitest";
import { ageMs, uptimeMs } from "../../src/worker/age.ts";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { procFs } from "../../src/worker/proc-fs.ts";
import { fakeProc, SELF } from "./fake-proc.ts";

const HOUR_TICKS = 360_000;

/** A machine that has been up for an hour, on which we started 5 s ago. */
function upAnHour(uptime: string, startTicks = HOUR_TICKS - 500): ProcFiles {
  const stat = `${SELF} (celery-probe) S 1 7 7 0 -1 4194304 9 0 0 0 90 9 0 0 20 0 1 0 ${startTicks} 0\n`;
  const files = { "/proc/uptime": uptime, [`/proc/${SELF}/stat`]: stat };
  return { ...fakeProc([], files), ownAgeMs: () => 5_000 };
}

test.each([
  ["the machine tells it", upAnHour("3600.00 9000.00\n")],
  ["lxcfs tells the container's instead", upAnHour("12.34 9.00\n")],
  ["lxcfs tells nothing but zeros", upAnHour("0.00 0.00\n")],
  ["there is no such file", upAnHour("")],
  ["we have taken the place of a shell that ran for long", upAnHour("3600.00 9000.00\n", 100)],
])("the uptime is that by which processes have their starts when %s", (_, proc) => {
  expect(uptimeMs(proc)).toBe(3_600_000);
  expect(ageMs(proc, HOUR_TICKS - 2_000)).toBe(20_000);
});

test("a process that began after the last tick that we know is new", () => {
  expect(ageMs(upAnHour("0.00 0.00\n"), HOUR_TICKS + 1)).toBe(0);
});

test("the kernel's two ways to tell the uptime agree", () => {
  const proc = procFs(() => process.uptime() * 1_000);
  const hidden: ProcFiles = {
    ...proc,
    read: (path) => (path === "/proc/uptime" ? { ok: false, problem: "gone" } : proc.read(path)),
  };
  // A test runner may have forked this process some time before its program began; ticks are 10 ms.
  expect(uptimeMs(proc) - uptimeMs(hidden)).toBeGreaterThan(-1_000);
  expect(uptimeMs(proc) - uptimeMs(hidden)).toBeLessThan(5_000);
});
