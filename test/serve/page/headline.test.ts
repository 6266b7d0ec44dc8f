import { expect, test } from "vitest";
import { headline } from "../../../src/serve/page/script/headline.ts";
import { ago, fleet, queue, worker } from "../../world/scripted-fleet.ts";

const ill = worker("celery@ill", { status: "unhealthy", reason: "hung" });
const unclear = worker("celery@unclear", { status: "unknown", reason: "undecided" });
const well = worker("celery@well");
const broker = fleet([], []).workers.broker;

test.each([
  ["all are healthy", [well, well, well], "healthy", "All 3 workers are healthy", "The broker"],
  ["there is one", [well], "healthy", "The only worker is healthy", "The broker"],
  [
    "one of them is unhealthy",
    [ill, well],
    "unhealthy",
    "1 of 2 workers is unhealthy",
    "1 is healthy. The broker",
  ],
  [
    "there is one of each kind",
    [ill, unclear, well],
    "unhealthy",
    "1 of 3 workers is unhealthy",
    "1 is unknown, 1 is healthy. The broker",
  ],
  ["all are unhealthy", [ill, ill], "unhealthy", "All 2 workers are unhealthy", "The broker"],
  [
    "nobody can tell",
    [unclear, well, well],
    "unknown",
    "1 of 3 workers is unknown",
    "2 are healthy. The broker",
  ],
] as const)(
  "the headline says how many workers have the worst state when %s",
  (_, workers, status, sentence, start) => {
    const said = headline(fleet(workers, [queue("celery")]));
    expect(said).toMatchObject({ status, sentence });
    expect(said.detail.startsWith(start)).toBe(true);
    expect(said.detail).toContain("The broker redis://redis.shop.svc:6379/0 is up.");
  },
);

test("the headline says what is waited for before anything is known", () => {
  const first = { done: 0, failed: 0, last: null, duration_ms: null, stale: false };
  const unreached = { ...broker, up: false, rtt_ms: null };
  expect(headline(null).sentence).toBe("Connecting to celery-probe …");
  expect(headline(fleet([], [], { rounds: first, broker: unreached })).sentence).toBe(
    "Connecting to the broker …",
  );
  expect(headline(fleet([], [], { rounds: first })).sentence).toBe("Listening for workers …");
});

test("the headline says what to do when a round has found no worker", () => {
  expect(headline(fleet([], []))).toMatchObject({
    status: "unknown",
    sentence: "No worker is known",
    hint: "start a worker with this broker, or start celery-probe with the broker of your workers",
  });
});

test("the broker's outage goes before what was known of workers", () => {
  const down = {
    ...broker,
    up: false,
    message: "redis://r refused the connection",
    hint: "start it",
    since: ago(48),
  };
  expect(headline(fleet([ill, well], [], { broker: down }))).toEqual({
    status: "unhealthy",
    sentence: "The broker has been unavailable",
    detail: "redis://r refused the connection. Until it is back, 2 workers cannot be judged.",
    hint: "start it",
    since: ago(48),
    title: "broker down",
  });
});

test("the headline says that states may be old when rounds have failed", () => {
  const rounds = { ...fleet([], []).workers.rounds, stale: true };
  expect(headline(fleet([well], [], { rounds })).detail).toContain("may be old");
});
