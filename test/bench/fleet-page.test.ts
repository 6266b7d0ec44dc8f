import { expect, test } from "vitest";
import {
  digits,
  fleetPage,
  redisShare,
  type Report,
  workersAt,
  workerShare,
} from "../../bench/fleet/page.ts";

/** Half a millisecond to hear a ping, one to answer it; of Redis 0.2 ms and 10 µs a worker. */
const COSTS = (size: number) => ({
  size,
  workers: [
    { version: "5.2.7", heard: 0.000_4, answered: 0.000_8 },
    { version: "5.7.0", heard: 0.000_5, answered: 0.000_9 },
  ],
  redis: 0.000_2 + size * 0.000_01,
  bytes: size * 700,
  probeS: 0.04,
});

const REPORT: Report = {
  machine: [["processor", "Abacus"]],
  pings: [COSTS(1_000), COSTS(50)],
  monitors: [
    {
      name: "celery-probe serve",
      own: 0.031_4,
      redis: 0.005,
      worker: 0.000_033,
      bytesPerS: 345_678,
      resident: 80e6,
      scrapeS: 0.012_3,
      scrapeBytes: 912_345,
      answerS: 0.001_23,
    },
  ],
};

test("a worker pays for every ping of the others and for its own, by the dearest version", () => {
  // 999 pings at 0.5 ms and one at 0.9 ms, in 30 s.
  expect(workerShare(COSTS(1_000), 1_000, 30)).toBeCloseTo(0.5004 / 30, 10);
});

test("the fleet of the largest size within a share costs no more than that, and one worker more does", () => {
  const costs = COSTS(1_000);
  const size = workersAt(costs, 0.001, 30);
  expect(size).toBe(59);
  expect(workerShare(costs, size, 30)).toBeLessThanOrEqual(0.001);
  expect(workerShare(costs, size + 1, 30)).toBeGreaterThan(0.001);
});

test("Redis pays for each ping a fixed part and one for each worker", () => {
  expect(redisShare(REPORT.pings, 1_000, 30)).toBeCloseTo((1_000 / 30) * 0.010_2, 10);
  expect(redisShare(REPORT.pings, 3_000, 30)).toBeCloseTo((3_000 / 30) * 0.030_2, 10);
  expect(() => redisShare([], 10, 30)).toThrow(RangeError);
});

test("the page gives each monitor a row and says up to which size nothing is to be done", () => {
  const page = fleetPage(REPORT);
  expect(page).toContain(
    "| celery-probe serve | 3.1 % | 80 MB | 0.50 % | 0.0033 % | 346 kB/s | 12 ms | 912 kB | 1.2 ms |",
  );
  expect(page).toContain("| 1,000 | 400 µs | 800 µs | 500 µs | 900 µs | 10,200 µs | 700 kB | 40 ms |");
  expect(page).toContain("**Up to 59 workers**");
  expect(page).not.toMatch(/undefined|NaN/);
});

test.each([
  [0.0033, "0.0033"],
  [0.25, "0.25"],
  [6.99, "7.0"],
  [1234.5, "1,235"],
  [0, "0"],
])("%d has two digits that count", (value, text) => {
  expect(digits(value)).toBe(text);
});
