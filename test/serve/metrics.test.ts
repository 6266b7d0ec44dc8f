import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FleetView } from "../../src/fleet/fleet-view.ts";
import { exposition, type Format, FORMATS } from "../../src/render/exposition.ts";
import { formatFor } from "../../src/serve/accept.ts";
import { familiesOf } from "../../src/serve/metrics.ts";
import { parseExposition, type Series } from "./exposition.ts";
import { AT_S, fleet, HUNG, LOST, node, outage, queue } from "./fleet.ts";
import { asked, OWN, serving } from "./served.ts";

const scraped = (view: FleetView, format: Format = "text") =>
  parseExposition(exposition(familiesOf(view, OWN), format), format);

/** The values of a metric, by one of its labels. */
function values(series: readonly Series[], name: string, label: string): Readonly<Record<string, number>> {
  const own = series.filter((one) => one.name === name);
  return Object.fromEntries(own.map(({ labels, value }) => [labels[label] ?? "", value]));
}

const FLEET = fleet([
  node("celery@sick", HUNG, { active: null, pingS: null }),
  node("celery@lost", LOST),
  node("shop@web-1", undefined, { processed: null }),
]);

describe.each(["text", "openmetrics"] as const)("in the format %s", (format) => {
  test("a fleet is told", () => {
    expect(exposition(familiesOf(FLEET, OWN), format)).toMatchSnapshot();
  });

  test("every name is escaped, and no two series are alike", () => {
    const names = fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 5 });
    fc.assert(
      fc.property(names, (all) => {
        const view = fleet(
          all.map((name) => node(name, HUNG)),
          { queues: all.map((name) => queue(name)) },
        );
        scraped(view, format);
      }),
    );
    const tricky = 'a"b\\c\nd}e@f';
    const up = values(scraped(fleet([node(tricky)]), format), "celery_worker_up", "worker");
    expect(up).toEqual({ 'a"b\\c\\x0ad}e@f': 1 });
  });

  test("names that are alike once they are shortened make one series", () => {
    const name = (middle: string) => `${"a".repeat(200)}${middle}${"b".repeat(200)}`;
    const series = scraped(fleet([node(name("1"), HUNG), node(name("2"))]), format);
    const up = series.filter((one) => one.name === "celery_worker_up");
    // That of the first, as the worst come first.
    expect(up.map(({ value }) => value)).toEqual([0]);
  });
});

test("a worker has ten series at most, and its queues none of their own", () => {
  const one = scraped(fleet([node("a@b", HUNG)])).length;
  const two = scraped(fleet([node("a@b", HUNG), node("c@d", HUNG)])).length;
  expect(two - one).toBe(10);
});

test("the labels of celery-exporter name the host and the whole worker", () => {
  const { labels } =
    scraped(FLEET).find(({ name, value }) => name === "celery_worker_up" && value === 1) ?? {};
  expect(labels).toEqual({ hostname: "web-1", worker: "shop@web-1" });
});

test("a worker that hangs or is gone is down, and one that is unknown is neither", () => {
  const gone = node("a@gone", { status: "unhealthy", reason: "gone", how: "vanished", forS: 9 });
  const idle = node("a@idle", {
    status: "unhealthy",
    reason: "not-consuming",
    how: "stalled",
    queue: "q",
    waiting: 3,
    forS: 60,
  });
  const series = scraped(fleet([gone, idle, ...FLEET.nodes]));
  expect(values(series, "celery_worker_up", "worker")).toEqual({
    "a@gone": 0,
    "a@idle": 1,
    "celery@sick": 0,
    "shop@web-1": 1,
  });
  expect(values(series, "celery_probe_worker_healthy", "worker")).toEqual({
    "a@gone": 0,
    "a@idle": 0,
    "celery@sick": 0,
    "shop@web-1": 1,
  });
  expect(values(series, "celery_probe_workers", "reason")).toEqual({
    alive: 1,
    hung: 1,
    gone: 1,
    "not-consuming": 1,
    "broker-unreachable": 1,
  });
});

test("what alerts count is there, as 0, where no worker is", () => {
  expect(values(scraped(fleet([])), "celery_probe_workers", "reason")).toEqual({
    alive: 0,
    hung: 0,
    gone: 0,
    "not-consuming": 0,
  });
});

test("after two missed rounds gauges of workers are withheld and counters stay", () => {
  const stale = { ...FLEET.rounds, areStale: true };
  const series = scraped(outage(FLEET.nodes, { rounds: stale }));
  const ofWorkers = new Set(series.filter(({ labels }) => "worker" in labels).map(({ name }) => name));
  expect([...ofWorkers].sort()).toEqual([
    "celery_probe_worker_restarts_total",
    "celery_probe_worker_tasks_processed_total",
  ]);
  expect(values(series, "celery_probe_broker_up", "")).toEqual({ "": 0 });
  expect(values(series, "celery_probe_rounds_total", "")).toEqual({ "": 3 });
});

test("a queue that is empty has been so for 0 s, and one that is not since when it was", () => {
  const queues = [
    queue("empty", { nonemptySinceS: null, length: 0 }),
    queue("full", { nonemptySinceS: AT_S - 90 }),
  ];
  const series = scraped(fleet([], { queues }));
  expect(values(series, "celery_probe_queue_nonempty_seconds", "queue_name")).toEqual({ empty: 0, full: 90 });
  expect(values(series, "celery_queue_length", "queue_name")).toEqual({ empty: 0, full: 12 });
});

test("a thousand workers are told in 50 ms of CPU time", () => {
  const nodes = Array.from({ length: 1_000 }, (_, number) => node(`celery@web-${number}`));
  const view = fleet(nodes);
  exposition(familiesOf(view, OWN), "text");
  const microseconds = Array.from({ length: 5 }, () => {
    const started = process.cpuUsage();
    exposition(familiesOf(view, OWN), "text");
    const { user, system } = process.cpuUsage(started);
    return user + system;
  });
  expect(Math.min(...microseconds)).toBeLessThan(50_000);
});

describe("Accept decides the format", () => {
  const PROMETHEUS_2 =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  const PROMETHEUS_3 =
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  test.each<[accept: string | undefined, format: Format]>([
    [undefined, "text"],
    ["", "text"],
    ["*/*", "text"],
    ["text/plain", "text"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "text"],
    [PROMETHEUS_2, "openmetrics"],
    [PROMETHEUS_3, "openmetrics"],
    ["text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5", "text"],
    ["application/openmetrics-text", "openmetrics"],
    ['Application/OpenMetrics-Text; version="1.0.0"', "openmetrics"],
    ["application/openmetrics-text;version=2.0.0", "text"],
    ["application/openmetrics-text;q=0", "text"],
    ["application/openmetrics-text;q=x", "text"],
    [";;;,=,", "text"],
  ])("%s gives %s", (accept, format) => {
    expect(formatFor(accept)).toBe(format);
    const headers = accept === undefined ? {} : { accept };
    const answer = asked(serving(FLEET), "/metrics", headers);
    expect(answer.headers).toMatchObject({ "content-type": FORMATS[format], vary: "accept" });
    parseExposition(answer.text, format);
  });
});
