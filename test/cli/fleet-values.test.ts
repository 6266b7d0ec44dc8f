import { describe, expect, test } from "vitest";
import { interval, probePath } from "../../src/cli/fleet-values.ts";
import { takenBy } from "../../src/cli/command-options.ts";
import { parse } from "../../src/cli/parse.ts";

describe("an interval", () => {
  test.each(["0s", "1ms", "99ms", "0.05s"])("of %s is refused", (text) => {
    expect(interval(text)).toEqual({ ok: false, problem: "is too short: expected 100ms or more" });
  });

  test.each(["100ms", "2s", "24h"])("of %s is taken", (text) => {
    expect(interval(text).ok).toBe(true);
  });
});

describe("a path to ask", () => {
  test.each([
    "/livez",
    "/readyz",
    "/health",
    "/livez/local",
    "/readyz/celery@web-1",
    "/health/celery%40web-1",
    "/fleet?min=3",
  ])("that gives a verdict is taken: %s", (text) => {
    expect(probePath(text)).toEqual({ ok: true, value: text });
  });

  test.each([
    "/",
    "/events",
    "/metrics",
    "/api/v1/workers",
    "/livez/",
    "/fleet",
    "/fleet?min=",
    "/healthz",
    "/livez b",
  ])("that gives no verdict is refused: %s", (text) => {
    expect(probePath(text)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^gives no verdict: expected \/livez, \/readyz or \/health/) as string,
    });
  });

  test.each(["", "livez", "http://monitor:9540/livez"])("that is not a path is refused: %j", (text) => {
    expect(probePath(text)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^is not a path of serve: .*; the address is --listen$/) as string,
    });
  });
});

const OF_BOTH: readonly (readonly [option: string, value: string])[] = [
  ["--interval", "1ms"],
  ["--interval", "0s"],
  ["--interval", ""],
  ["--busy-grace", "0s"],
  ["--queue", ""],
  ["--queue", ","],
  ["--queue", "a,,b"],
  ["--node", ""],
  ["--node", "a@b,"],
];

const OF_SERVE: typeof OF_BOTH = [
  ["--listen", ""],
  ["--listen", "9540"],
  ["--ask", ""],
  ["--http-token-file", ""],
  ["--http-cert", ""],
];

describe.each(["serve", "watch"] as const)("of %s", (command) => {
  test.each([...OF_BOTH, ...(command === "serve" ? OF_SERVE : [])])(
    "%s '%s' is refused with its name, the value and the expected format",
    (option, value) => {
      const read = parse([command, option, value], {}, takenBy(command));
      expect(read).toMatchObject({
        ok: false,
        problem: {
          sentence: expect.stringMatching(new RegExp(`^${option} '${value}' .*: expected `)) as string,
        },
      });
    },
  );
});
