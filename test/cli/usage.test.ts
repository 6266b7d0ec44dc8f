import { describe, expect, test } from "vitest";
import type { Origin } from "../../src/cli/options.ts";
import { complaint, label } from "../../src/cli/usage.ts";

describe("label", () => {
  test.each<[Origin, string]>([
    [{ kind: "flag", name: "--broker" }, "--broker"],
    [{ kind: "environment", name: "CELERY_BROKER_URL" }, "CELERY_BROKER_URL"],
    [{ kind: "worker", pid: 12, name: "-b" }, "-b of process 12"],
    [{ kind: "worker", pid: 12, name: "BROKER_URL" }, "BROKER_URL of process 12"],
    [{ kind: "default" }, "default"],
  ])("of %j is %s", (origin, words) => {
    expect(label(origin)).toBe(words);
  });
});

test("a complaint names the value's origin, the value and the problem", () => {
  const origin = { kind: "worker", pid: 12, name: "-b" } as const;
  expect(complaint(origin, "amqp://u:***@x", "is not a Redis broker URL")).toBe(
    "-b of process 12 'amqp://u:***@x' is not a Redis broker URL",
  );
});
