import { describe, expect, test } from "vitest";
import { parse } from "../../src/cli/parse.ts";
import { planCheck } from "../../src/health/plan.ts";
import { fakeHost } from "./fake-host.ts";

function planned(argv: readonly string[], env: Record<string, string> = {}, hostname = "web-1") {
  const host = fakeHost({ argv, env, hostname });
  const parsed = parse(argv, env);
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  return planCheck(parsed.value.config, host);
}

function broker(argv: readonly string[], env: Record<string, string>): string {
  const plan = planned(argv, env);
  if (!plan.ok) return plan.problem.sentence;
  const { origin, shown } = plan.value.broker;
  return `${shown} ${origin.kind === "default" ? "default" : origin.name}`;
}

describe("the broker", () => {
  const everything = {
    CELERY_PROBE_BROKER: "redis://probe",
    BROKER_URL: "redis://broker-url",
    CELERY_BROKER: "redis://celery-broker",
    CELERY_BROKER_READ_URL: "redis://read-url",
    CELERY_BROKER_URL: "redis://celery-broker-url",
    REDIS_URL: "redis://redis-url",
    MINE: "redis://mine",
  };

  test("is taken from the first that is set, in this order", () => {
    expect(broker(["--broker=redis://flag", "--broker-env=MINE"], everything)).toBe("redis://flag --broker");
    expect(broker(["--broker-env=MINE"], everything)).toBe("redis://mine MINE");
    const order = [
      "CELERY_PROBE_BROKER",
      "BROKER_URL",
      "CELERY_BROKER",
      "CELERY_BROKER_READ_URL",
      "CELERY_BROKER_URL",
      "REDIS_URL",
    ] as const;
    const env: Record<string, string> = { ...everything };
    for (const name of order) {
      expect(broker([], env)).toBe(`${everything[name]} ${name}`);
      // An empty variable is an unset one.
      env[name] = "";
    }
    expect(broker([], env)).toBe("redis://127.0.0.1:6379/0 default");
  });

  test.each([
    [
      [],
      { CELERY_BROKER_URL: "amqp://u:hunter2@x" },
      "CELERY_BROKER_URL 'amqp://u:***@x' is not a Redis broker",
    ],
    [["--broker-env=MINE"], {}, "--broker-env 'MINE' is not set: expected a variable with the broker URL"],
    [["--broker-env=MINE"], { MINE: "x" }, "MINE 'x' is not a URL"],
  ])("is refused by the name it came from: %j %j", (argv, env, sentence) => {
    expect(broker(argv, env as Record<string, string>)).toContain(sentence);
  });

  test("decides the channel by its database", () => {
    const plan = planned(["--broker=redis://x/7"]);
    expect(plan).toMatchObject({ ok: true, value: { channel: "/7.celery.pidbox" } });
  });
});

describe("the nodes", () => {
  test.each([
    [[], ["celery@web-1"]],
    [["--node=w1"], ["celery@w1"]],
    [["--node=w1@%h"], ["w1@web-1"]],
    [
      ["--node=a@x,b@x", "--node=a@x"],
      ["a@x", "b@x"],
    ],
  ])("asked by %j are %j", (argv, nodes) => {
    expect(planned(argv)).toMatchObject({
      ok: true,
      value: { asked: { kind: "nodes", nodes }, destination: nodes },
    });
  });

  test.each([
    [["--any"], 1],
    [["--min-nodes=3"], 3],
    [["--any", "--min-nodes=3"], 3],
  ])("asked by %j are all, and %d must answer", (argv, atLeast) => {
    expect(planned(argv)).toMatchObject({
      ok: true,
      value: { asked: { kind: "any", atLeast }, destination: "everyone", replies: { keep: 4_096 } },
    });
  });
});
