import { expect, test } from "vitest";
import { log } from "../../src/doctor/topics/log.ts";
import type { Files, Unread } from "../../src/machine/parts.ts";
import { failure } from "../../src/outcome.ts";
import { fakeProc } from "../worker/fake-proc.ts";
import { fakeScene } from "./fake-scene.ts";

/** What is found of the log of a worker that was told `-f PATH`, or of `--log PATH`, which is this; and what was opened. */
async function found(because: Unread, path: string, args: readonly string[] = []) {
  const opened: string[] = [];
  const files: Partial<Files> = {
    look: () => failure("gone"),
    tail(name) {
      opened.push(name);
      return failure(because);
    },
  };
  const words = ["python", "/venv/bin/celery", "worker", "-f", path];
  const proc = fakeProc([{ pid: 12, words }]);
  const { scene } = fakeScene({
    args,
    proc: [proc, proc],
    host: { files: () => Promise.resolve(files as Files) },
  });
  const findings = await log(scene);
  return { opened, levels: findings.map(({ level }) => level) };
}

const PIPE: Unread = { kind: "unfit", detail: "a pipe" };

test.each([
  ["/var/log/w.log", "/proc/12/root/var/log/w.log"],
  ["w.log", "/proc/12/cwd/w.log"],
  // Links to the process that opens them: the doctor's own output would be taken for the worker's.
  ["/dev/stdout", "/proc/12/fd/1"],
  ["/dev/stderr", "/proc/12/fd/2"],
  ["/dev/fd/7", "/proc/12/fd/7"],
  ["/proc/self/fd/2", "/proc/12/fd/2"],
  ["/proc/1/fd/1", "/proc/12/root/proc/1/fd/1"],
])("-f %s of a worker is opened as %s", async (path, opened) => {
  expect(await found(PIPE, path)).toEqual({ opened: [opened], levels: ["skipped"] });
});

test("a log is a problem when it cannot be read, and a pipe only when --log names it", async () => {
  expect(await found({ kind: "failed", detail: "EIO" }, "/w.log")).toMatchObject({ levels: ["problem"] });
  expect(await found({ kind: "gone", detail: "ENOENT" }, "/w.log")).toMatchObject({ levels: ["problem"] });
  const asked = await found(PIPE, "/w.log", ["--log", "/dev/fd/63"]);
  expect(asked).toEqual({ opened: ["/dev/fd/63"], levels: ["problem"] });
});
