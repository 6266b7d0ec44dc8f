import { expect, test } from "vitest";
import { similarTo } from "../src/slips.ts";

test.each([
  ["mails", ["celery", "mials"], "mials"],
  ["mails", ["mail"], "mail"],
  ["high-priority", ["high_priority"], "high_priority"],
  ["Reports", ["reports"], "reports"],
  ["a", ["b"], null],
  ["low", ["slow"], null],
  ["q1", ["q2"], null],
  ["emails", ["reports"], null],
  ["mails", ["mails"], null],
  ["mails", [], null],
])("%s, of %j, may mean %s", (name, others, similar) => {
  expect(similarTo(name, others)).toBe(similar);
});
