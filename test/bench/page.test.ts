import { expect, test } from "vitest";
import { performanceChart } from "../../bench/chart.ts";
import { type MeasuredRow, performancePage, threeDigits, times } from "../../bench/page.ts";

const FLOOR: MeasuredRow = {
  name: "floor",
  details: "nothing",
  costs: [
    { wallMs: 10, cpuMs: 8, peakBytes: 40e6 },
    { wallMs: 20, cpuMs: 9, peakBytes: 41e6 },
    { wallMs: 12, cpuMs: 8, peakBytes: 40e6 },
  ],
  instructions: 82_345_678,
  traffic: { sentBytes: 0, receivedBytes: 0, commands: 0 },
  charge: { warmBytes: 9_100_000, coldBytes: 104_900_000, coldMs: 170.4 },
  fileBytes: 108_500_000,
};

const REPLACED: MeasuredRow = {
  ...FLOOR,
  name: "replaced",
  costs: FLOOR.costs.map(({ wallMs, cpuMs, peakBytes }) => ({ wallMs: wallMs * 30, cpuMs, peakBytes })),
  traffic: { sentBytes: 3_210, receivedBytes: 1_234, commands: 50 },
  fileBytes: null,
};

const REPORT = {
  flavours: [
    {
      name: "linux-amd64",
      fileBytes: 109e6,
      tarballBytes: 41e6,
      wheelBytes: 42e6,
      isEmulated: false,
      costs: FLOOR.costs,
    },
    {
      name: "linux-arm64",
      fileBytes: 107e6,
      tarballBytes: 40e6,
      wheelBytes: 39e6,
      isEmulated: true,
      costs: REPLACED.costs,
    },
  ],
  floor: FLOOR,
  replaced: REPLACED,
  machine: [["processor", "one"]],
  rounds: 3,
  chart: "performance.svg",
} as const;

const lineOf = (page: string, start: string) =>
  page.split("\n").filter((line) => line.startsWith(`| ${start} |`));

test("a row gives medians, the least wall time, and a dash where a size means nothing", () => {
  const page = performancePage({ ...REPORT, rows: [FLOOR, REPLACED] });
  expect(lineOf(page, "floor")).toEqual([
    "| floor | 12.0 (10.0) | 8.00 | 82.3 | 40.0 | 9.10 | 105 | 170 | 109 | 0 | 0 | 0 |",
    "| floor | 1.00 × | 1.00 × | 1.00 × | 1/30.0 | 1.00 × | 1.00 × |",
  ]);
  expect(lineOf(page, "replaced")).toEqual([
    "| replaced | 360 (300) | 8.00 | 82.3 | 40.0 | 9.10 | 105 | 170 | – | 3210 | 1234 | 50 |",
    "| replaced | 30.0 × | 1.00 × | 1.00 × | 1.00 × | 1.00 × | 1.00 × |",
  ]);
  expect(page).not.toMatch(/Not measured|undefined|NaN/);
});

test("every executable of a release has its sizes and costs, and says what was emulated", () => {
  const [amd64, arm64] = REPORT.flavours;
  const idle = { ...arm64, name: "idle", isEmulated: false, costs: [] };
  const page = performancePage({ ...REPORT, flavours: [amd64, arm64, idle], rows: [FLOOR, REPLACED] });
  expect(lineOf(page, "idle")).toEqual(["| idle | 107 | 40.0 | 39.0 | – | – | – |"]);
  expect(lineOf(page, "linux-amd64")).toEqual(["| linux-amd64 | 109 | 41.0 | 42.0 | 12.0 | 8.00 | 40.0 |"]);
  expect(lineOf(page, "linux-arm64, by qemu")).toEqual([
    "| linux-arm64, by qemu | 107 | 40.0 | 39.0 | 360 | 8.00 | 40.0 |",
  ]);
});

test("a contender that is not there has a row in both tables, and its reason", () => {
  const absent = { name: "other", details: "another build", absent: "`other` is not there" };
  const page = performancePage({ ...REPORT, rows: [FLOOR, REPLACED, absent] });
  expect(lineOf(page, "other")).toHaveLength(2);
  expect(lineOf(page, "other")[0]).toContain("| not measured |");
  expect(page).toContain("Not measured: **other**, `other` is not there.");
});

test("memory that could not be charged is named once", () => {
  const rows = [FLOOR, REPLACED].map((row) => ({ ...row, charge: "needs root" }));
  const page = performancePage({ ...REPORT, rows });
  expect(page.match(/charged memory and cold starts \(needs root\)/g)).toHaveLength(1);
  expect(lineOf(page, "floor")[0]).toContain("| – | – | – |");
});

test("the page links its chart and tells the machine", () => {
  const page = performancePage({ ...REPORT, rows: [FLOOR] });
  expect(page).toContain("](performance.svg)");
  expect(page).toContain("| processor | one |");
});

test("every row of a table has as many cells as its head", () => {
  const page = performancePage({ ...REPORT, rows: [FLOOR, { name: "x", details: "y", absent: "z" }] });
  for (const table of page
    .trimEnd()
    .split("\n\n")
    .filter((part) => part.startsWith("|"))) {
    expect(new Set(table.split("\n").map((line) => line.match(/\|/g)?.length)).size).toBe(1);
  }
});

test.each([
  [0.321, "0.32"],
  [9.876, "9.88"],
  [12.34, "12.3"],
  [1234.5, "1235"],
])("%d is written %s", (value, text) => {
  expect(threeDigits(value)).toBe(text);
});

test.each([
  [1.416, "1.42 ×"],
  [0.9, "0.90 ×"],
  [0.02, "1/50.0"],
])("a ratio of %d is written %s", (ratio, text) => {
  expect(times(ratio)).toBe(text);
});

test("the chart names each row and its figures, on a background of its own", () => {
  const svg = performanceChart([
    { name: "first <one>", wallMs: 41.234, cpuMs: 39 },
    { name: "second", wallMs: 1_234, cpuMs: 0.4 },
  ]);
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  for (const text of ["first &lt;one&gt;", "second", "41.2", "1234", "0.40"])
    expect(svg).toContain(`>${text}<`);
  expect(svg).toContain("#ffffff");
});
