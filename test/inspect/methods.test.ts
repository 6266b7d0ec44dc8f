import { expect, test } from "vitest";
import { METHODS, readWords } from "../../src/inspect/methods.ts";

const PLAIN = { "with-defaults": false, all: false, builtins: false };

test.each(METHODS.filter((method) => method !== "query_task"))("%s is a question", (method) => {
  expect(readWords([method], PLAIN)).toMatchObject({
    ok: true,
    value: { question: { method }, setting: null },
  });
});

test.each([
  [["dump_schedule"], PLAIN, { method: "scheduled" }],
  [["registered", "rate_limit", "name"], PLAIN, { taskInfo: ["rate_limit", "name"], builtins: false }],
  [["dump_tasks"], { ...PLAIN, builtins: true }, { method: "registered", taskInfo: [], builtins: true }],
  [["conf"], PLAIN, { method: "conf", withDefaults: false }],
  [["conf"], { ...PLAIN, all: true }, { method: "conf", withDefaults: false }],
  [["conf"], { ...PLAIN, "with-defaults": true }, { method: "conf", withDefaults: true }],
  [["query_task", "a", "b"], PLAIN, { method: "query_task", ids: ["a", "b"] }],
])("%j is read with %j", (words, options, question) => {
  expect(readWords(words, options)).toMatchObject({ ok: true, value: { question, setting: null } });
});

test("a single setting is searched in the defaults too", () => {
  expect(readWords(["conf", "task_time_limit"], PLAIN)).toEqual({
    ok: true,
    value: { question: { method: "conf", withDefaults: true }, setting: "task_time_limit" },
  });
});

test.each([
  [[], PLAIN, { kind: "none" }],
  [["shutdown"], PLAIN, { kind: "changing", word: "shutdown" }],
  [["pool_restart"], PLAIN, { kind: "changing" }],
  [["hello"], PLAIN, { kind: "meddling" }],
  [["toString"], PLAIN, { kind: "unknown", word: "toString", meant: null }],
  [["actve"], PLAIN, { kind: "unknown", word: "actve", meant: "active" }],
  [["ping", "now"], PLAIN, { kind: "surplus", method: "ping", word: "now" }],
  [["conf", "true"], PLAIN, { kind: "surplus", method: "conf", word: "true" }],
  [["conf", "timezone", "enable_utc"], PLAIN, { kind: "surplus", method: "conf", word: "enable_utc" }],
  [["query_task"], PLAIN, { kind: "no-ids" }],
  [["stats"], { ...PLAIN, "with-defaults": true }, { kind: "stray-option", option: "with-defaults" }],
  [["registered"], { ...PLAIN, all: true }, { kind: "stray-option", option: "all", of: "conf" }],
  [["conf"], { ...PLAIN, builtins: true }, { kind: "stray-option", option: "builtins" }],
  [
    ["conf", "timezone"],
    { ...PLAIN, all: true },
    { kind: "needless-option", option: "all", setting: "timezone" },
  ],
])("%j with %j is refused", (words, options, problem) => {
  expect(readWords(words, options)).toMatchObject({ ok: false, problem });
});
