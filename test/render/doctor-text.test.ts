import { expect, test } from "vitest";
import { finding } from "../../src/doctor/levels.ts";
import { PLAIN_CANVAS, progressLine, summaryLines, topicLines } from "../../src/render/doctor-text.ts";

const node = (number: number, level: "ok" | "problem") =>
  finding("oom-kills", `celery@${number}`, { count: level === "ok" ? 0 : 3 });

test("a fleet shows the first healthy nodes, counts the other healthy ones, and shows each unhealthy one", () => {
  const fleet = Array.from({ length: 100 }, (_, number) => node(number, number === 90 ? "problem" : "ok"));
  const lines = topicLines(fleet, PLAIN_CANVAS);
  expect(lines).toHaveLength(8);
  expect(lines[4]).toBe("ok       oom-kills celery@4: none in this container");
  expect(lines[5]).toMatch(/^PROBLEM {2}oom-kills celery@90: the kernel has killed 3 /);
  expect(lines[6]).toMatch(/^ {9}→ /);
  expect(lines[7]).toBe("ok       oom-kills: 94 more are well");
});

test("a few findings are all shown, in colours if these are wanted", () => {
  expect(topicLines([node(1, "ok"), node(2, "ok")], { columns: null, inColour: true })).toEqual([
    "\x1b[32mok      \x1b[0m oom-kills celery@1: none in this container",
    "\x1b[32mok      \x1b[0m oom-kills celery@2: none in this container",
  ]);
});

test("a fact that several nodes share is printed once, with their names", () => {
  const lines = topicLines([node(1, "problem"), node(2, "ok"), node(3, "problem")], PLAIN_CANVAS);
  expect(lines.map((line) => line.slice(0, 45))).toEqual([
    "PROBLEM  oom-kills celery@1, celery@3: the ke",
    "         → " + (lines[1] ?? "").slice(11, 45),
    "ok       oom-kills celery@2: none in this con",
  ]);
});

test("text is wrapped between words to the terminal's width, and keeps its indent", () => {
  const narrow = { columns: 40, inColour: false };
  const lines = [
    ...topicLines([node(1, "problem")], narrow),
    ...summaryLines([node(1, "problem")], node(1, "problem"), narrow),
  ];
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  expect(lines.slice(1).filter((line) => /^\S/.test(line))).toEqual([
    expect.stringMatching(/^1 problem, /),
    expect.stringMatching(/^first: oom-kills: celery@1: /),
  ]);
  const joined = (list: readonly string[]) => list.map((line) => line.trim()).join(" ");
  expect(joined(topicLines([node(1, "problem")], narrow))).toBe(
    joined(topicLines([node(1, "problem")], PLAIN_CANVAS)),
  );
});

test("progress fits in one line of the terminal", () => {
  expect(progressLine(["worker", "settings"], 80)).toBe("… worker, settings");
  expect(progressLine(["worker", "settings"], 14)).toBe("… worker, se…");
});

test("a next step is shown once in a run", () => {
  const said = new Set<string>();
  const told = [node(1, "problem"), node(2, "problem")].map((one) => topicLines([one], PLAIN_CANVAS, said));
  expect(told.map((lines) => lines.length)).toEqual([2, 1]);
});
