import { expect, test } from "vitest";
import { finding } from "../../src/doctor/finding.ts";
import { topicLines } from "../../src/render/doctor-text.ts";

const node = (number: number, level: "ok" | "problem") =>
  finding("oom-kills", level, `celery@${number}`, { count: level === "ok" ? 0 : 3 });

test("of a fleet the first that are well are shown, the rest counted, and each that is not well", () => {
  const fleet = Array.from({ length: 100 }, (_, number) => node(number, number === 90 ? "problem" : "ok"));
  const lines = topicLines(fleet, false);
  expect(lines).toHaveLength(8);
  expect(lines[4]).toBe("ok       oom-kills celery@4: none in this container");
  expect(lines[5]).toMatch(/^PROBLEM {2}oom-kills celery@90: the kernel has killed 3 /);
  expect(lines[6]).toMatch(/^ {9}→ /);
  expect(lines[7]).toBe("ok       oom-kills: 94 more are well");
});

test("a few are all shown, with colours where they are wanted", () => {
  expect(topicLines([node(1, "ok"), node(2, "ok")], true)).toEqual([
    "\x1b[32mok      \x1b[0m oom-kills celery@1: none in this container",
    "\x1b[32mok      \x1b[0m oom-kills celery@2: none in this container",
  ]);
});
