import { describe, expect, test } from "vitest";
import type { FleetVerdict } from "../../src/fleet/fleet-view.ts";
import { watchRows } from "../../src/render/watch-rows.ts";
import type { Canvas } from "../../src/render/watch-table.ts";
import { TOP, watchLines } from "../../src/render/watch-text.ts";
import { cutMiddle, width } from "../../src/render/width.ts";
import { fleetView, nodeView, queueView } from "../fleet/views.ts";

const VIEW = fleetView({
  nodes: [nodeView(), nodeView({ node: `celery@${"a-very-long-name-".repeat(5)}` })],
  queues: [
    queueView({ queue: "重要なキュー", length: 3, trend: [0, 3], consumers: 2 }),
    queueView({ consumers: 0 }),
  ],
});

const canvas = (columns: number): Canvas => ({
  columns,
  rows: Infinity,
  inColour: false,
  isUnicode: true,
  hasKeys: true,
});

describe("a picture", () => {
  test.each([200, 120, 80, 60, 40, 20, 10])("is no wider than %i columns", (columns) => {
    for (const line of watchLines(VIEW, canvas(columns))) expect(width(line)).toBeLessThanOrEqual(columns);
  });

  test("cuts a long name before it leaves out a column", () => {
    const lines = watchLines(VIEW, canvas(80));
    expect(lines[2]).toMatch(/^NODE {20,}STATE {2}ACTIVE {3}\/S {2}TOTAL .*OLDEST TASK/);
    expect(lines[4]).toMatch(/^celery@a-ver[a-z-]*…[a-z-]*long-name- +alive {5}1\/4/);
  });

  test("aligns its columns, even with wide characters", () => {
    const [head = "", wide = "", narrow = ""] = watchLines(VIEW, canvas(80)).slice(-3);
    expect(width(wide.slice(0, wide.indexOf("3") + 1))).toBe(head.indexOf("LENGTH") + "LENGTH".length);
    expect(narrow.indexOf("0") + 1).toBe(head.indexOf("LENGTH") + "LENGTH".length);
  });
});

test("lines say that there is no worker", () => {
  expect(watchRows({ ...VIEW, nodes: [], queues: [] })).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d broker redis:\/\/redis:6379\/0 nodes=0$/),
  ]);
});

test.each([
  ["celery@web-7d9f8b6c5d-x2x7k", 20, "celery@web…c5d-x2x7k"],
  ["celery@web-1", 12, "celery@web-1"],
  ["celery@web-1", 11, "celer…web-1"],
  ["重要なキュー", 7, "重…ー"],
  ["celery@web-1", 2, "c…"],
])("%s in %i columns keeps its beginning and its end: %s", (name, columns, shown) => {
  expect(cutMiddle(name, columns)).toBe(shown);
  expect(width(cutMiddle(name, columns))).toBeLessThanOrEqual(columns);
});

describe("on a low screen", () => {
  const HUNG: FleetVerdict = { status: "unhealthy", reason: "hung", silentS: 400, graceS: 300 };
  const many = fleetView({
    nodes: [
      nodeView({ node: "celery@sick", verdict: HUNG }),
      ...Array.from({ length: 30 }, (_, number) => nodeView({ node: `celery@web-${number}` })),
    ],
    queues: [
      ...Array.from({ length: 20 }, (_, number) => queueView({ queue: `queue-${number}` })),
      queueView({ queue: "orphan", length: 7, consumers: 0 }),
    ],
  });
  const low = { ...canvas(100), rows: 14 };
  const picture = (scroll = 0) => watchLines(many, low, { ...TOP, scroll });

  test("the worst node and the unconsumed queue are shown, and the others are counted", () => {
    const lines = picture();
    expect(lines).toHaveLength(14);
    expect(lines[0]).toContain("31 nodes: 1 hung, 30 alive");
    expect(lines[3]).toMatch(/^celery@sick +hung 400 s/);
    expect(lines.join("\n")).toMatch(/… 27 more\n\nQUEUE.*\norphan +7 +0/);
  });

  test("scrolling reaches every row, nodes first, and every picture fits on the screen", () => {
    const seen = new Set<string>();
    for (let scroll = 0; scroll <= 51; scroll++) {
      const lines = picture(scroll);
      expect(lines.length).toBeLessThanOrEqual(14);
      for (const line of lines) seen.add(/^\S+/.exec(line)?.[0] ?? "");
    }
    for (const { node } of many.nodes) expect(seen).toContain(node);
    for (const { queue } of many.queues) expect(seen).toContain(queue);
  });

  test("nodes above the screen are counted too", () => {
    expect(picture(5).join("\n")).toContain("… 5 above, 22 more");
  });
});

test("help replaces the tables", () => {
  const lines = watchLines(VIEW, { ...canvas(40), rows: 6 }, { ...TOP, wantsHelp: true });
  expect(lines).toHaveLength(6);
  expect(lines.join("\n")).toContain("scroll");
});

test("it says that it is listening until the first round is done", () => {
  const { rounds } = VIEW;
  const early = fleetView({ rounds: { ...rounds, done: 0 } });
  expect(watchLines(early, canvas(80)).at(-1)).toBe("listening …");
  expect(watchLines(fleetView(), canvas(80)).at(-1)).toBe("no worker is heard, and none answers");
});

test.each([
  ["cannot-write", "MISCONF Redis is configured to save", "cannot write"],
  ["wrong-password", "WRONGPASS invalid username-password pair", "did not accept the user name or password"],
] as const)("the refusal of a broker is shown: %s", (cause, detail, words) => {
  const failure = { kind: "refused", cause, command: "PING", detail } as const;
  const trouble = { failure, sinceS: 1_799_999_990 };
  const view = fleetView({ broker: { ...VIEW.broker, trouble } });
  expect(watchLines(view, canvas(300))[1]).toMatch(
    new RegExp(`^broker: .*${words}.*${detail.slice(0, 7)}.* for 10 s`),
  );
});
