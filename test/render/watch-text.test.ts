import { describe, expect, test } from "vitest";
import { watchRows } from "../../src/render/watch-rows.ts";
import { type Canvas, watchLines } from "../../src/render/watch-text.ts";
import { width } from "../../src/render/width.ts";
import type { NodeRow, View } from "../../src/watch/view.ts";

const row = (node: string): NodeRow => ({
  node,
  state: { kind: "alive" },
  active: 1,
  slots: 4,
  perS: 0.5,
  processed: 1_240,
  oldest: { name: "shop.tasks.mail", ageS: 12 },
  memory: 152_000_000,
});

const VIEW: View = {
  broker: "redis://redis:6379/0",
  atS: 1_800_000_000,
  trouble: null,
  nodes: [row("celery@web-1"), row(`celery@${"a-very-long-name-".repeat(5)}`)],
  queues: [
    { queue: "重要なキュー", length: 3, trend: [0, 3], consumers: 2 },
    { queue: "celery", length: 0, trend: [0, 0], consumers: 0 },
  ],
  nameless: 0,
};

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

  test("cuts a long name before it leaves out what there is to see", () => {
    const lines = watchLines(VIEW, canvas(80));
    expect(lines[2]).toMatch(/^NODE {20,}STATE {2}ACTIVE {3}\/S {2}TOTAL .*OLDEST TASK/);
    expect(lines[4]).toMatch(/^celery@a-very-long-[a-z-]*… +alive {5}1\/4/);
  });

  test("has its columns one below the other, wide characters or not", () => {
    const [head = "", wide = "", narrow = ""] = watchLines(VIEW, canvas(80)).slice(-3);
    expect(width(wide.slice(0, wide.indexOf("3") + 1))).toBe(head.indexOf("LENGTH") + "LENGTH".length);
    expect(narrow.indexOf("0") + 1).toBe(head.indexOf("LENGTH") + "LENGTH".length);
  });
});

test("lines say that nobody is there", () => {
  expect(watchRows({ ...VIEW, nodes: [], queues: [] })).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d broker redis:\/\/redis:6379\/0 nodes=0$/),
  ]);
});
