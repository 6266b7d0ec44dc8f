import { describe, expect, test } from "vitest";
import { label } from "../../src/cli/usage.ts";
import { type ChosenBroker, chooseBrokers, instructed } from "../../src/discovery/choose-broker.ts";
import { survey } from "../../src/worker/survey.ts";
import { type FakeProcess, fakeProc } from "../worker/fake-proc.ts";
import { fakeHost } from "../health/fake-host.ts";
import { configured } from "../health/planned.ts";

type Variables = Readonly<Record<string, string>>;

/** The URL and who named it, or the sentence about what is wrong. */
function broker(argv: readonly string[], env: Variables, workers: readonly FakeProcess[] = []): string {
  const host = fakeHost({ argv, env });
  const proc = fakeProc(workers);
  const chosen = chooseBrokers(configured(host), { env, proc }, survey(proc).workers.map(instructed));
  if (!chosen.ok) return chosen.problem.sentence;
  const { read, write } = chosen.value;
  const words = ({ url, origin }: ChosenBroker) => `${url.text} ${label(origin)}`;
  return words(read) + (write === null ? "" : ` → ${words(write)}`);
}

const celery = (pid: number, environment: Variables | null, ...options: string[]): FakeProcess => ({
  pid,
  words: ["python", "/venv/bin/celery", ...options, "worker"],
  environment:
    environment === null
      ? null
      : Object.entries(environment)
          .map(([name, value]) => `${name}=${value}\0`)
          .join(""),
});

const VARIABLES = {
  BROKER_URL: "redis://broker-url",
  CELERY_BROKER: "redis://celery-broker",
  CELERY_BROKER_URL: "redis://celery-broker-url",
};

describe("the broker", () => {
  test("is taken from the first that is set, in this order", () => {
    const env: Record<string, string> = {
      ...Object.fromEntries(
        Object.keys(VARIABLES).map((name) => [name, `redis://our-${name.toLowerCase()}`]),
      ),
      CELERY_PROBE_BROKER: "redis://probe",
      REDIS_URL: "redis://redis-url",
      MINE: "redis://mine",
    };
    const theirs: Record<string, string> = { ...VARIABLES };
    const worker = (...options: string[]) => [celery(12, theirs, ...options)];

    expect(broker(["--broker=redis://flag", "--broker-env=MINE"], env, worker())).toBe(
      "redis://flag --broker",
    );
    expect(broker(["--broker-env=MINE"], env, worker())).toBe("redis://mine MINE");
    expect(broker([], env, worker("-b", "redis://b"))).toBe("redis://probe CELERY_PROBE_BROKER");
    env["CELERY_PROBE_BROKER"] = "";
    expect(broker([], env, worker("-b", "redis://b"))).toBe("redis://b -b of process 12");
    for (const [name, url] of Object.entries(VARIABLES)) {
      expect(broker([], env, worker())).toBe(`${url} ${name} of process 12`);
      // An empty variable is an unset one.
      theirs[name] = "";
    }
    for (const name of [...Object.keys(VARIABLES), "REDIS_URL"]) {
      expect(broker([], env, worker())).toBe(`${env[name]} ${name}`);
      env[name] = "";
    }
    expect(broker([], env, worker())).toBe("redis://127.0.0.1:6379/0 default");
  });

  // Measured on 5.0.5, 5.2.7 and 5.7.0: the worker says "Connected to" that of CELERY_BROKER_READ_URL.
  test.each<[readonly string[], Variables, string]>([
    [
      ["-b", "redis://b"],
      { CELERY_BROKER_READ_URL: "redis://r", BROKER_URL: "redis://u" },
      "redis://r CELERY_BROKER_READ_URL of process 12 → redis://b -b of process 12",
    ],
    [
      [],
      { CELERY_BROKER_READ_URL: "redis://r", CELERY_BROKER_WRITE_URL: "redis://w", BROKER_URL: "redis://u" },
      "redis://r CELERY_BROKER_READ_URL of process 12 → redis://w CELERY_BROKER_WRITE_URL of process 12",
    ],
    [
      [],
      { CELERY_BROKER_WRITE_URL: "redis://w", CELERY_BROKER_URL: "redis://u" },
      "redis://u CELERY_BROKER_URL of process 12 → redis://w CELERY_BROKER_WRITE_URL of process 12",
    ],
    [
      [],
      { CELERY_BROKER_READ_URL: "redis://r", CELERY_BROKER_WRITE_URL: "redis://r" },
      "redis://r CELERY_BROKER_READ_URL of process 12",
    ],
    [[], { CELERY_BROKER_READ_URL: "redis://r" }, "redis://r CELERY_BROKER_READ_URL of process 12"],
  ])(
    "is that for reading, and replies go to that for writing, when %j %j",
    (options, environment, chosen) => {
      expect(broker([], {}, [celery(12, environment, ...options)])).toBe(chosen);
    },
  );

  test("is written where --broker-write-url says, and nowhere else when --broker names it", () => {
    const env = { CELERY_BROKER_WRITE_URL: "redis://w" };
    expect(broker(["--broker=redis://a"], env)).toBe("redis://a --broker");
    expect(broker(["--broker=redis://a", "--broker-write-url=redis://b"], env)).toBe(
      "redis://a --broker → redis://b --broker-write-url",
    );
  });

  test("is --broker-env's when both it and CELERY_PROBE_BROKER are variables", () => {
    const env = { CELERY_PROBE_BROKER: "redis://a", CELERY_PROBE_BROKER_ENV: "MINE", MINE: "redis://b" };
    expect(broker([], env)).toBe("redis://b MINE");
  });

  test("is ours when the worker's environment may not be read", () => {
    const env = { CELERY_BROKER_URL: "redis://ours" };
    expect(broker([], env, [celery(12, null)])).toBe("redis://ours CELERY_BROKER_URL");
  });

  test("comes from the first worker that names one when there are several", () => {
    const workers = [celery(12, {}), celery(13, { CELERY_BROKER_URL: "redis://second" })];
    expect(broker([], {}, workers)).toBe("redis://second CELERY_BROKER_URL of process 13");
  });

  test.each<[readonly string[], Variables, readonly FakeProcess[], string]>([
    [
      [],
      { CELERY_BROKER_URL: "amqp://u:hunter2@x" },
      [],
      "CELERY_BROKER_URL 'amqp://u:***@x' is not a Redis broker",
    ],
    [
      ["--broker-env=MINE"],
      {},
      [],
      "--broker-env 'MINE' is not set: expected a variable with the broker URL",
    ],
    [
      ["--broker-env=constructor"],
      {},
      [],
      "--broker-env 'constructor' is not set: expected a variable with the broker URL",
    ],
    [["--broker-env=MINE"], { MINE: "x" }, [], "MINE 'x' is not a URL"],
    [
      [],
      {},
      [celery(12, {}, "-b", "amqp://u:hunter2@x")],
      "-b of process 12 'amqp://u:***@x' is not a Redis broker",
    ],
    [
      [],
      {},
      [celery(12, { BROKER_URL: "amqp://u:hunter2@x" })],
      "BROKER_URL of process 12 'amqp://u:***@x' is not a Redis broker",
    ],
  ])("is refused by the name it came from: %j %j", (argv, env, workers, sentence) => {
    expect(broker(argv, env, workers)).toContain(sentence);
  });
});
