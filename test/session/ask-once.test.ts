import { expect, test } from "vitest";
import type { Heartbeat } from "../../src/celery/heartbeat.ts";
import { failure, success } from "../../src/outcome.ts";
import type { OverBound, Question } from "../../src/pidbox/message.ts";
import { NO_REPLIES, type Replies } from "../../src/pidbox/query.ts";
import { askOnce } from "../../src/session/ask-once.ts";
import type { Session } from "../../src/session/session.ts";

type Told = Partial<Record<Question["method"], Partial<Replies>>>;

/** What is made of these replies, and whom it asked for what. */
function asking(told: Told | null, versions: Readonly<Record<string, string | null>> = {}) {
  const asked: (readonly [method: string, whom: readonly string[] | "everyone"])[] = [];
  const ask: Session["ask"] = ({ method }, whom) => {
    asked.push([method, whom]);
    const replies = told?.[method];
    return Promise.resolve(
      replies === undefined
        ? failure({ kind: "unreachable", cause: "no-answer", detail: "" })
        : success({ ...NO_REPLIES, ...replies }),
    );
  };
  const heard = new Map(
    Object.entries(versions).map(([node, version]) => [node, { node, version } as Heartbeat]),
  );
  const answers = askOnce({
    session: told === null ? null : ({ ask } as Session),
    ...{ timeoutMs: 100, epochSeconds: () => 50, heard: () => heard, hearing: Promise.resolve() },
  });
  return { answers, asked };
}

const by = (results: Readonly<Record<string, unknown>>) => ({ results: new Map(Object.entries(results)) });
const PINGED = { ping: { ...by({ "w@b": 1, "w@a": 1, "celerybeat@a": 1 }), subscribers: 5 } };

test("each question is asked once, and a beat is only pinged", async () => {
  const { answers, asked } = asking({ ...PINGED, stats: by({ "w@b": 1, "w@a": 2 }) });
  const [first, second] = await Promise.all([answers.told("stats"), answers.told("stats")]);
  expect([...first]).toEqual([
    ["w@a", 2],
    ["w@b", 1],
  ]);
  expect(second).toBe(first);
  expect(await answers.answering()).toEqual(["w@a", "w@b"]);
  expect(asked).toEqual([
    ["ping", "everyone"],
    ["stats", ["w@a", "w@b"]],
  ]);
});

test("active is asked only of nodes whose heartbeat or report shows a safe version", async () => {
  const report = by({ "w@b": { ok: "software -> celery:5.3.1 (x) kombu:5.3.1" }, "w@c": { ok: "" } });
  const ping = by({ "w@a": 1, "w@b": 1, "w@c": 1, "w@d": 1 });
  const active = by({ "w@b": [{ name: "t", id: "1", time_start: 40 }], "w@d": "nothing" });
  const { answers, asked } = asking({ ping, report, active }, { "w@a": "5.1.2", "w@d": "5.7.0" });
  expect([...(await answers.inHand())]).toEqual([["w@b", [{ name: "t", id: "1", ageS: 10 }]]]);
  expect(asked.slice(1)).toEqual([
    ["report", ["w@b", "w@c"]],
    ["active", ["w@b", "w@d"]],
  ]);
  expect(Object.fromEntries(await answers.versions())).toEqual({
    ...{ "w@a": "5.1.2", "w@b": "5.3.1", "w@d": "5.7.0" },
  });
});

test("workers are found by answers and heartbeats, and silent ones are counted by subscribers", async () => {
  const { answers } = asking({ ping: { ...PINGED.ping, repeated: ["w@a"] } }, { "w@c": null });
  expect(await answers.nodes()).toEqual(["w@a", "w@b", "w@c"]);
  expect(await answers.silent()).toBe(2);
  expect(await answers.repeated()).toEqual(["w@a"]);
});

test("an answer that is too large is kept with its question, and its node is not silent", async () => {
  const large = (node: string): OverBound => ({ node, bound: "length", length: 9, most: 5 });
  const { answers } = asking({
    ping: { ...PINGED.ping, overBound: [large("w@x")] },
    conf: { overBound: [large("w@a")] },
  });
  await answers.told("conf");
  expect(answers.overBound()).toEqual([
    { method: "ping", ...large("w@x") },
    { method: "conf", ...large("w@a") },
  ]);
  expect(await answers.silent()).toBe(1);
});

test.each([
  ["there is no session", null],
  ["the broker fails", {}],
])("there are no answers when %s", async (_, told) => {
  const { answers, asked } = asking(told);
  expect([...(await answers.told("active"))]).toEqual([]);
  expect(await answers.nodes()).toEqual([]);
  expect(await answers.silent()).toBe(0);
  expect(asked).toHaveLength(told === null ? 0 : 1);
});
