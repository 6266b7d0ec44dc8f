import { expect, test } from "vitest";
import { finding, LEVELS } from "../../src/doctor/levels.ts";
import { findingWords } from "../../src/render/findings/finding-words.ts";
import { queues } from "../../src/doctor/topics/queues.ts";
import type { WireCommand } from "../../src/broker/turns.ts";
import { fakeScene } from "./fake-scene.ts";

/** What is said where a worker consumes `mails`, and an exchange has so many bindings, `forgotten` among them. */
async function ask(lengths: Readonly<Record<string, number>>, bindings = 0, args: readonly string[] = []) {
  const table = "_kombu.binding.celery";
  const broker = ([name, key]: WireCommand): unknown => {
    if (name === "LLEN") return lengths[String(key)] ?? 0;
    if (name === "SCAN") return ["0", bindings === 0 ? [] : [table]];
    if (name === "SCARD") return bindings;
    return name === "SMEMBERS" ? ["forgotten\x06\x16\x06\x16forgotten"] : undefined;
  };
  const told = { active_queues: [{ name: "mails" }], stats: {} };
  const { scene, sent } = fakeScene({ args, broker, told });
  return { findings: await queues(scene), sent };
}

test.each([
  [1_000, [], "ok"],
  [1_001, [], "warning"],
  [5, ["--max-queue-length", "5"], "ok"],
  [6, ["--max-queue-length", "5"], "warning"],
  [0, ["--max-queue-length", "0"], "ok"],
  [1, ["--max-queue-length", "0"], "warning"],
  [7, ["--max-queue-length", "5", "--max-queue-length", "mails=7"], "ok"],
  [8, ["--max-queue-length", "9", "--max-queue-length", "mails=7"], "warning"],
])("%i messages with %j are %s", async (length, args, level) => {
  const { findings } = await ask({ mails: length }, 0, args);
  expect(findings.filter(({ code }) => code === "queue-length")).toMatchObject([
    { level, about: "mails", facts: { length } },
  ]);
});

test.each([
  [1_000, ["forgotten"]],
  [1_001, []],
])("a table of %i bindings shows these queues without a consumer: %j", async (bindings, unconsumed) => {
  const { findings, sent } = await ask({ mails: 0, forgotten: 3 }, bindings);
  expect(
    findings
      .filter(({ code, level }) => code === "queues-consumed" && level !== "ok")
      .map(({ about }) => about),
  ).toEqual(unconsumed);
  expect(sent.filter(([name]) => name === "SMEMBERS")).toHaveLength(unconsumed.length);
});

test("a queue that its worker consumes is not reported as unconsumed", async () => {
  const { findings } = await ask({ mails: 3 });
  expect(findings.filter(({ code }) => code === "queues-consumed")).toMatchObject([
    { level: "ok", facts: { kind: "all", queues: 1 } },
  ]);
});

test.each([
  [{ growth: 1, length: 9, busy: { active: 4, slots: 4 } }, "warning"],
  [{ growth: 0, length: 9, busy: { active: 4, slots: 4 } }, "ok"],
  [{ growth: 1, length: 4, busy: { active: 4, slots: 4 } }, "ok"],
  // Between two tasks a slot is free for a moment.
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 } }, "warning"],
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 }, finished: 0 }, "ok"],
  // They came at one time, to slots that were free.
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 }, lengthBefore: 4 }, "ok"],
  [{ growth: 1, length: 9, busy: null }, "skipped"],
  [{ growth: 0, length: 9, busy: null }, "ok"],
])("throughput of %j is %s", (measured, level) => {
  const usual = { arrived: 1, finished: 1, overS: 4, lengthBefore: 5 };
  expect(LEVELS.throughput({ kind: "measured", ...usual, ...measured })).toBe(level);
});

test.each([
  [4, "; 4 of 4 slots busy (over 4 s)"],
  [5, "; 5 tasks are counted as running in 4 slots: the end of some was missed (over 4 s)"],
])("of %i running tasks in four slots is said: %s", (active, expected) => {
  const pace = { arrived: 1, finished: 1, growth: 0, length: 0, lengthBefore: 0, overS: 4 };
  const found = finding("throughput", null, { kind: "measured", ...pace, busy: { active, slots: 4 } });
  expect(findingWords(found).seen).toContain(expected);
});
