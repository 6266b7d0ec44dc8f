import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { procFs as openProc } from "../../src/worker/proc-fs.ts";
import { statOf, statusOf } from "../../src/worker/process-status.ts";

const SELF = process.pid;

const procFs = openProc(() => 0);

test("procFs reads this process when it is asked for it", () => {
  expect(procFs.self).toBe(SELF);
  expect(procFs.pids()).toContain(SELF);
  expect(procFs.pids()?.every(Number.isInteger)).toBe(true);
  expect(procFs.read(`/proc/${SELF}/cmdline`)).toMatchObject({ ok: true });
  expect(procFs.link(`/proc/${SELF}/exe`)).toEqual({ ok: true, value: process.execPath });
  expect(procFs.list(`/proc/${SELF}/fd`)).toContain("0");
});

test("procFs reads a file whole when it is longer than a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "proc-fs-"));
  try {
    const text = "línea\0".repeat(40_000);
    writeFileSync(join(folder, "long"), text);
    expect(procFs.read(join(folder, "long"))).toEqual({ ok: true, value: text });
    const seen: number[] = [];
    const inPieces = procFs.read(join(folder, "long"), (bytes) => seen.push(bytes) > 0);
    expect(inPieces).toEqual({ ok: true, value: text });
    expect(seen).toEqual([262_144, 280_000]);
    expect(procFs.read(join(folder, "long"), (bytes) => bytes < 100)).toEqual({ ok: false, problem: "cut" });
    expect(procFs.read(join(folder, "none"), () => true)).toEqual({ ok: false, problem: "gone" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("procFs says gone when there is no such process", () => {
  // The kernel's largest number is 4194304.
  expect(procFs.read("/proc/4999999/stat")).toEqual({ ok: false, problem: "gone" });
  expect(procFs.link("/proc/4999999/exe")).toEqual({ ok: false, problem: "gone" });
  expect(procFs.list("/proc/4999999/fd")).toBeNull();
});

test("statOf and statusOf understand this kernel when they read a real process", () => {
  expect(statOf(procFs, SELF)).toMatchObject({
    state: expect.stringMatching(/^[RS]$/) as unknown,
    parent: process.ppid,
  });
  const status = statusOf(procFs, SELF);
  expect(status?.uid).toBe(process.getuid?.());
  expect(status?.namespacePids[0]).toBe(SELF);
  expect(status?.voluntarySwitches).toBeGreaterThanOrEqual(0);
});
