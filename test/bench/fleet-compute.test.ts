import fc from "fast-check";
import { expect, test } from "vitest";
import { type Costs, everyoneAlone, fitLine, fleetAt, loadOf, workersAt } from "../../bench/fleet/compute.ts";
import { costOfEach, median, quantile } from "../../bench/fleet/numbers.ts";

/** Round numbers: half a millisecond to hear, one to answer, a tenth for a probe, ten microseconds a delivery. */
const COSTS: Costs = {
  heard: 0.0005,
  answered: 0.001,
  probe: 0.0001,
  delivery: 0.00001,
  answer: 0.00002,
  bytes: 700,
};

test("a thousand workers every thirty seconds hear 33 pings a second each", () => {
  const load = loadOf(COSTS, everyoneAlone(1000, 30));
  expect(load.heardPerSecond).toBeCloseTo(33.33, 2);
  // 999 pings to others at 0.5 ms and one of its own at 1 ms, in 30 s.
  expect(load.workerShare).toBeCloseTo(0.5005 / 30, 10);
  // 1,000 times 0.1 ms and 1,000 deliveries of 10 µs, in 30 s.
  expect(load.redisShare).toBeCloseTo(10.1 / 30, 10);
  expect(load.deliveriesPerSecond).toBeCloseTo(1_000_000 / 30, 6);
  expect(load.bytesPerSecond).toBeCloseTo(700_000_000 / 30, 3);
});

test.each([
  ["twice the interval halves everything", { interval: 60 }, 16.67, 10.1 / 60],
  ["a channel of a hundred is heard by a hundred", { group: 100 }, 3.33, (1000 * 0.0011) / 30],
  [
    "ten in one message are a tenth of the messages",
    { together: 10 },
    3.33,
    (100 * (0.0101 + 9 * 0.00002)) / 30,
  ],
] as const)("%s", (_what, change, heard, redis) => {
  const load = loadOf(COSTS, { ...everyoneAlone(1000, 30), ...change });
  expect(load.heardPerSecond).toBeCloseTo(heard, 2);
  expect(load.redisShare).toBeCloseTo(redis, 10);
});

const cost = fc.double({ min: 1e-6, max: 1e-2, noNaN: true });

test("a fleet of the size at which a goal is missed costs as much as the goal allows", () => {
  fc.assert(
    fc.property(cost, cost, cost, fc.integer({ min: 1, max: 600 }), (heard, probe, delivery, interval) => {
      const costs = { ...COSTS, heard, answered: heard, probe, delivery };
      const redis = loadOf(costs, everyoneAlone(fleetAt(costs, 0.05, interval), interval)).redisShare;
      expect(redis).toBeCloseTo(0.05, 9);
      const worker = loadOf(costs, everyoneAlone(workersAt(costs, 0.001, interval), interval)).workerShare;
      expect(worker).toBeCloseTo(0.001, 9);
    }),
  );
});

test("a line through points that lie on one is that line", () => {
  const points = [1, 10, 100, 1000, 3000].map((size) => ({ size, cost: 0.0001 + size * 0.00001 }));
  const { fixed, each, worst } = fitLine(points);
  expect(fixed).toBeCloseTo(0.0001, 12);
  expect(each).toBeCloseTo(0.00001, 12);
  expect(worst).toBeCloseTo(0, 9);
});

test("a line says how far the farthest point is off, as a share of it", () => {
  const points = [
    { size: 1, cost: 1 },
    { size: 2, cost: 2 },
    { size: 3, cost: 6 },
  ];
  const { fixed, each, worst } = fitLine(points);
  const off = points.map(({ size, cost: at }) => Math.abs(fixed + each * size - at) / at);
  expect(worst).toBe(Math.max(...off));
  // No line near it is better: it has the least squares.
  const squares = (a: number, b: number) =>
    points.reduce((sum, { size, cost: at }) => sum + ((a + b * size - at) / at) ** 2, 0);
  for (const [a, b] of [
    [0.01, 0],
    [-0.01, 0],
    [0, 0.01],
    [0, -0.01],
  ] as const) {
    expect(squares(fixed + a, each + b)).toBeGreaterThan(squares(fixed, each));
  }
});

test("a line through one size is refused", () => {
  expect(() => fitLine([{ size: 5, cost: 1 }])).toThrow(RangeError);
});

test("the cost of each is the use less what the same time costs without them", () => {
  const use = { cpu: [1.2, 0.4], seconds: 10 };
  const idle = { cpu: [0.1, 0.2], seconds: 5 };
  const [busy, still] = costOfEach(use, idle, 100);
  expect(busy).toBeCloseTo(0.01, 12);
  expect(still).toBeCloseTo(0, 12);
});

test("the quantiles lie between the ranks", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10, 20], 0.95)).toBeCloseTo(19, 12);
  expect(() => median([])).toThrow(RangeError);
});
