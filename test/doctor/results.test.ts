import { expect, test } from "vitest";
import { results } from "../../src/doctor/topics/results.ts";
import type { WireCommand } from "../../src/broker/turns.ts";
import { failure } from "../../src/outcome.ts";
import { fakeScene, NODE, only } from "./fake-scene.ts";
import { inSight, REFUSED } from "./level-scenes.ts";

/** A failure of so many bytes. */
function failureOf(bytes: number): string {
  const begin = '{"status": "FAILURE", "result": {"exc_type": "ValueError"}, "traceback": "';
  return `${begin}${"x".repeat(bytes - begin.length - 2)}"}`;
}

/** What is said of a database with these results. */
async function ask(kept: readonly string[], args: readonly string[] = []) {
  const texts = new Map(kept.map((text, position) => [`celery-task-meta-${position}`, text]));
  const broker = ([name, key, , end]: WireCommand): unknown => {
    const text = texts.get(String(key)) ?? "";
    if (name === "DBSIZE") return texts.size;
    if (name === "SCAN") return ["0", [...texts.keys()]];
    return name === "GETRANGE" ? text.slice(0, Number(end) + 1) : undefined;
  };
  const { scene, sent } = fakeScene({ args, broker });
  const { level, facts } = only(await results(scene), "failed-results");
  if (facts.kind !== "counted") throw new Error(JSON.stringify(facts));
  return { level, facts, sent };
}

const SUCCESS = '{"status": "SUCCESS", "result": 3}';

test.each([
  [10, ["--max-failed", "10"], "ok"],
  [11, ["--max-failed", "10"], "warning"],
  [0, ["--max-failed", "0"], "ok"],
  [1, ["--max-failed", "0"], "warning"],
  [3, ["--max-failed", "3"], "ok"],
  [4, ["--max-failed", "3"], "warning"],
])("%i failures with %j are %s", async (count, args, level) => {
  const { level: said, facts } = await ask([SUCCESS, ...Array<string>(count).fill(failureOf(200))], args);
  expect(facts).toMatchObject({ results: count + 1, failed: count });
  expect(said).toBe(level);
});

/** How often a result's text was asked for, further than its status. */
const whole = (sent: readonly WireCommand[]) =>
  sent.filter(([name, , , end]) => name === "GETRANGE" && end !== 47);

test.each([
  [60_000, [["ValueError", 1]]],
  [60_001, []],
])("a failure of %i bytes shows the exceptions %j", async (bytes, exceptions) => {
  const { facts, sent } = await ask([failureOf(bytes)]);
  expect(facts).toMatchObject({ failed: 1, exceptions });
  // Its beginning is read whatever its size.
  expect(sent).toContainEqual(["GETRANGE", "celery-task-meta-0", 0, 47]);
  expect(whole(sent)).toEqual([["GETRANGE", "celery-task-meta-0", 0, 59_999]]);
});

test.each([
  [100, 100],
  [101, 100],
])("out of %i failures %i are read", async (count, looked) => {
  const { facts, sent } = await ask(Array<string>(count).fill(failureOf(200)));
  expect(facts.failed).toBe(count);
  expect(whole(sent)).toHaveLength(looked);
});

test.each([
  ["redis://:s3cret@cache:6380/1", "unusable", "RESULTS of process 12"],
  ["redis://:s3cret@other:6380/1", "hidden", `the settings of ${NODE}`],
  ["redis://cache:6380/1", "hidden", `the settings of ${NODE}`],
])("a masked backend and the variable RESULTS=%s: %s", async (url, kind, from) => {
  const { scene } = fakeScene(
    inSight(
      { environment: `RESULTS=${url}\0` },
      {
        told: { conf: { result_backend: "redis://:********@cache:6380/1" }, stats: {} },
        host: { connect: () => Promise.resolve(failure(REFUSED)) },
      },
    ),
  );
  expect(only(await results(scene), "failed-results").facts).toMatchObject({ kind, from });
});
