import { describe, expect, test } from "vitest";
import { crashed } from "../../src/commands/crashed.ts";
import { fakeHost } from "../health/fake-host.ts";
import { procWith, WORKER } from "../health/fake-worker.ts";

const ALIVE = () => procWith([{ ...WORKER, connections: 3 }]);
const after = (argv: readonly string[], proc = ALIVE) =>
  crashed(new RangeError("no\nroom"), fakeHost({ argv, proc }));

describe("after an internal error", () => {
  test("a check gives its verdict in one line", async () => {
    const { stdout, stderr, exitCode } = await after([]);
    expect(stdout).toMatch(
      /^unknown: undecided: internal error: RangeError: no\\x0aroom \(at .+\); hint: please report it\n$/,
    );
    expect([stderr, exitCode]).toEqual(["", 1]);
  });

  test("a check exits 0 with --on-unknown healthy when the worker's process is alive", async () => {
    const { stdout, exitCode } = await after(["check", "--on-unknown=healthy"]);
    expect(stdout).toMatch(/^unknown: undecided: internal error: /);
    expect(exitCode).toBe(0);
  });

  test("a check exits 1 with --on-unknown healthy when no process is", async () => {
    expect((await after(["--on-unknown=healthy"], () => procWith([]))).exitCode).toBe(1);
  });

  test("a check prints its object with --output json", async () => {
    const { stdout, exitCode } = await after(["--output=json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      status: "unknown",
      reason: "undecided",
      evidence: { gap: "crashed", error: expect.stringMatching(/^RangeError: no\nroom/) as string },
    });
    expect(exitCode).toBe(1);
  });

  test("a check prints nothing with --quiet", async () => {
    expect(await after(["--quiet"])).toMatchObject({ stdout: "", stderr: "", exitCode: 1 });
  });

  test.each([
    ["of another command", ["doctor", "--on-unknown=healthy"]],
    ["whose command line cannot be read", ["--timout=1s"]],
  ])("a run %s reports the error on stderr, in one line", async (_, argv) => {
    const { stdout, stderr, exitCode } = await after(argv);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^celery-probe: internal error, please report it: RangeError: no\\x0aroom.*\n$/);
    expect(exitCode).toBe(1);
  });

  test("a check still reports the error when processes cannot be examined", async () => {
    const { stderr, exitCode } = await after([], () => {
      throw new Error("no /proc");
    });
    expect(stderr).toMatch(/^celery-probe: internal error, please report it: RangeError: /);
    expect(exitCode).toBe(1);
  });

  test("a thrown value that is not an Error is printed too", async () => {
    const { stdout } = await crashed("x".repeat(10_000), fakeHost({ argv: [] }));
    expect(stdout.length).toBeLessThan(400);
  });
});
