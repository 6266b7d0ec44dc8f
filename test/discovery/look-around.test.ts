import { describe, expect, test } from "vitest";
import { lookAround } from "../../src/discovery/look-around.ts";
import { type FakeProcess, fakeProc, SELF } from "../worker/fake-proc.ts";
import { fakeHost } from "../health/fake-host.ts";
import { configured } from "../health/planned.ts";

const WORKER = { pid: 12, words: ["python", "/venv/bin/celery", "worker"] };
const SCRIPT = { pid: 13, words: ["python", "run.py"] };

/** Who is in sight, or the sentence about what is wrong. */
function around(
  argv: readonly string[],
  processes: readonly FakeProcess[],
  files: Readonly<Record<string, string | null>> = {},
  odd: Readonly<Record<string, string>> = {},
) {
  const proc = fakeProc(processes, files);
  const host = fakeHost({ argv, proc: () => proc, odd });
  const { placement, pidfile } = configured(host);
  const seen = lookAround({ placement: placement.value, pidfile }, host);
  if (!seen.ok) return seen.problem.sentence;
  return seen.value === null ? null : seen.value.workers.map(({ pid, foundBy }) => `${pid} ${foundBy}`);
}

test("every worker is in sight when nothing is said", () => {
  expect(around([], [WORKER, SCRIPT])).toEqual(["12 command"]);
});

test("nobody is looked for when the probe is remote", () => {
  expect(around(["--placement=remote"], [WORKER])).toBeNull();
  expect(around(["--placement=remote", "--pidfile=/run/w.pid"], [WORKER], { "/run/w.pid": null })).toBeNull();
});

describe("--pidfile", () => {
  const argv = ["--pidfile=/run/w.pid"];

  test("names one process outright when others are there", () => {
    expect(around(argv, [WORKER, SCRIPT], { "/run/w.pid": "13\n" })).toEqual(["13 pidfile"]);
  });

  test.each([
    ["there is no file", {}],
    ["its process is gone", { "/run/w.pid": "99\n" }],
    ["its process is ourselves", { "/run/w.pid": `${SELF}\n` }],
  ])("names nobody, and nobody else is looked for, when %s", (_, files) => {
    expect(around(argv, [WORKER], files)).toEqual([]);
  });

  test("is refused when it may not be read", () => {
    expect(around(argv, [], { "/run/w.pid": null })).toBe(
      "--pidfile '/run/w.pid' may not be read: expected a file that this user may read",
    );
  });

  test("is refused when it is no regular file, so that its worker is not called dead", () => {
    expect(around(argv, [], {}, { "/run/w.pid": "a pipe" })).toBe(
      "--pidfile '/run/w.pid' is a pipe: expected a file as celery --pidfile writes it",
    );
  });

  test.each(["", "x", "-1", "12 13", "1234567890"])("is refused when it holds %j", (text) => {
    expect(around(argv, [], { "/run/w.pid": text })).toBe(
      "--pidfile '/run/w.pid' holds no process number: expected a file as celery --pidfile writes it",
    );
  });
});
