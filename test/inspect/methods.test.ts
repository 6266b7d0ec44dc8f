import { expect, test } from "vitest";
import { METHODS, readQuestion } from "../../src/inspect/methods.ts";

const PLAIN = { withDefaults: false, builtins: false };

test.each(METHODS.filter((method) => method !== "query_task"))("%s is a question", (method) => {
  expect(readQuestion([method], PLAIN)).toMatchObject({ ok: true, value: { method } });
});

test.each([
  [["dump_schedule"], PLAIN, { method: "scheduled" }],
  [["registered", "rate_limit", "name"], PLAIN, { taskInfo: ["rate_limit", "name"], builtins: false }],
  [["dump_tasks"], { ...PLAIN, builtins: true }, { method: "registered", taskInfo: [], builtins: true }],
  [["conf"], { ...PLAIN, withDefaults: true }, { method: "conf", withDefaults: true }],
  [["query_task", "a", "b"], PLAIN, { method: "query_task", ids: ["a", "b"] }],
])("%j is read with %j", (words, options, value) => {
  expect(readQuestion(words, options)).toMatchObject({ ok: true, value });
});

test.each([
  [["shutdown"], PLAIN, { kind: "changing", word: "shutdown" }],
  [["pool_restart"], PLAIN, { kind: "changing" }],
  [["hello"], PLAIN, { kind: "meddling" }],
  [["toString"], PLAIN, { kind: "unknown", word: "toString" }],
  [["ping", "now"], PLAIN, { kind: "surplus", method: "ping", word: "now" }],
  [["query_task"], PLAIN, { kind: "no-ids" }],
  [["stats"], { ...PLAIN, withDefaults: true }, { kind: "stray-option", option: "with-defaults" }],
  [["conf"], { ...PLAIN, builtins: true }, { kind: "stray-option", option: "builtins" }],
])("%j with %j is refused", (words, options, problem) => {
  expect(readQuestion(words, options)).toMatchObject({ ok: false, problem });
});
