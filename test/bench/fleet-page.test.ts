import { expect, test } from "vitest";
import { fleetPage } from "../../bench/fleet/page.ts";
import { costsWith, limits, type Results } from "../../bench/fleet/results.ts";
import { byteRate, cpuTime, digits, percent } from "../../bench/fleet/words.ts";
import type { WorkerCost } from "../../bench/fleet/worker-cost.ts";

function worker(name: string, ping: number): WorkerCost {
  return { name, idle: [0.003], wake: [ping * 0.75], ping: [ping], answer: [ping * 2], heartbeat: [ping] };
}

/** A machine on which a delivery costs 10 µs and the rest of a probe 200. */
function results(pingOfWorker: number, change: Partial<Results["whole"]> = {}): Results {
  return {
    machine: {
      processor: "Abacus",
      cores: 2,
      kernel: "6.1",
      server: "Redis 7.0.15",
      node: "Node 24.21.0",
      probe: "celery-probe 0.1.0",
      load: [0.1, 0.2],
      date: "2026-11-23",
    },
    workers: [worker("dear", pingOfWorker * 2), worker("cheap", pingOfWorker)],
    redis: [1, 1000].map((listeners) => ({
      listeners,
      rate: 20,
      pings: 100,
      cpu: 0.0001 + listeners * 0.00001,
      bytes: listeners * 700,
    })),
    probes: [1000, 1].map((listeners) => ({
      listeners,
      ms: [50 + listeners / 100, 50 + listeners / 100],
      cpu: 0.05,
      redis: [0.0002 + listeners * 0.00001],
      answerMs: [1],
    })),
    whole: {
      workers: 21,
      listeners: 979,
      rate: 10,
      probes: 300,
      failures: [],
      ms: [60, 60],
      redisShare: 0.102,
      workerShares: [0.005, 0.006, 0.007],
      bytesPerSecond: 7_000_000,
      broadcast: { redis: 0.0106, worker: 0.001, ms: [70] },
      ...change,
    },
  };
}

test("the costs are taken from the measurement that shows each of them alone", () => {
  const measured = results(0.0005);
  const costs = costsWith(worker("any", 0.0005), measured);
  expect(costs.heard).toBe(0.0005);
  expect(costs.answered).toBe(0.001);
  expect(costs.delivery).toBeCloseTo(0.00001, 12);
  expect(costs.probe).toBeCloseTo(0.0002, 12);
  expect(costs.answer).toBeCloseTo(0.00002, 12);
  expect(costs.bytes).toBe(700);
});

test("the page says of each goal whether it is met", () => {
  const page = fleetPage(results(0.0005));
  // 33.3 times 0.5 ms, and twice as much.
  expect(page).toContain("| a worker: ≤ 0.10 % of a core | 1.7 % to 3.3 % | **not met** | computed |");
  expect(page).toContain("| Redis: ≤ 5.0 % of a core | 34 % | **not met** | computed |");
  expect(page).toContain(
    "| one probe: at most 10 % longer than at N = 1 | 60 ms, not 50 ms: 20 % | **not met** | measured |",
  );
  expect(fleetPage(results(0.00001))).toContain("| 0.033 % to 0.067 % | met | computed |");
});

test("the advice begins with the size up to which nothing is to be done", () => {
  const measured = results(0.00055);
  const { worker: least, redis } = limits(measured, 30);
  // The dearest worker: (30 ms − 2.2 ms for its answer) / 1.1 ms and itself.
  const size = Math.floor(Math.min(...least, redis));
  expect(size).toBe(26);
  expect(fleetPage(measured)).toContain(
    `**Up to ${size} workers** on one Redis database, every 30 s: nothing.`,
  );
});

test("what was not measured at a fleet's rate is called extrapolated", () => {
  const page = fleetPage(results(0.0005));
  expect(page).toContain("| measured at 10 probes a second | extrapolated in proportion to 33 a second |");
  expect(page).toContain("| CPU of Redis | 10 % | 34 % |");
  expect(page).toContain("**All answered.**");
  const fast = fleetPage(results(0.0005, { rate: 33.3 }));
  expect(fast).toContain("|  | measured at 33 probes a second |\n");
  expect(fast).not.toContain("extrapolated");
});

test("probes that fail are counted in bold", () => {
  const page = fleetPage(results(0.0005, { failures: ["unknown: undecided"] }));
  expect(page).toContain("**1 did not say alive.**");
});

test.each([
  [percent(0.0187), "1.9 %"],
  [percent(0.315), "32 %"],
  [percent(6.99), "699 %"],
  [cpuTime(0.000509), "509 µs"],
  [cpuTime(0.00954), "9.5 ms"],
  [byteRate(23_670_000), "24 MB/s"],
  [byteRate(710_000), "710 kB/s"],
  [digits(0.0033), "0.0033"],
  [digits(1234.5), "1,235"],
  [digits(0), "0"],
])("a number has two digits that count: %s", (text, expected) => {
  expect(text).toBe(expected);
});
