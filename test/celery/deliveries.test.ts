import { describe, expect, test } from "vitest";
import {
  mayBeHeld,
  rateLimits,
  readUnacked,
  subtaskOf,
  taskOfMessage,
  type Unacked,
} from "../../src/celery/deliveries.ts";

function message(headers: object, body: unknown, type = "application/json"): string {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
    "content-type": type,
    headers,
    properties: { body_encoding: "base64" },
  });
}

describe("a message's task", () => {
  test.each([
    ["protocol 2", message({ task: "a", id: "1" }, [[], {}, {}]), { name: "a", id: "1" }],
    [
      "protocol 2, pickled",
      message({ task: "a", id: "1" }, "", "application/x-python-serialize"),
      { name: "a", id: "1" },
    ],
    ["protocol 1", message({}, { task: "a", id: "1", args: [] }), { name: "a", id: "1" }],
    ["protocol 1, pickled", message({}, "", "application/x-python-serialize"), null],
    ["no task", message({}, []), null],
    ["no message", "42", null],
    ["no JSON", "{", null],
  ])("in %s", (_, text, task) => {
    expect(taskOfMessage(text)).toEqual(task);
  });
});

describe("a message that a task has sent", () => {
  const signature = (id: string, more: object = {}, type: string | null = null) => ({
    ...{ task: "b", options: { task_id: id, ...more }, subtask_type: type },
  });
  const sent = (headers: object, embed: object = {}, type?: string) =>
    subtaskOf(
      message({ task: "a", id: "1", parent_id: "0", group: null, ...headers }, [[], {}, embed], type),
    );
  const by = (results: readonly string[]) => ({ task: { name: "a", id: "1" }, parent: "0", results });

  test.each([
    ["alone", sent({}), by(["1"])],
    ["by a client", sent({ parent_id: null }), null],
    ["in protocol 1", subtaskOf(message({}, { task: "a", id: "1", parent_id: "0" })), null],
    ["in a group", sent({ group: "g" }), by([])],
    ["in a chain", sent({}, { chain: [signature("3"), signature("2")] }), by(["1", "3", "2"])],
    ["in a chain of a group", sent({}, { chain: [signature("2", { group_id: "g" })] }), by(["1"])],
    ["before a group", sent({}, { chain: [signature("2", {}, "group")] }), by(["1"])],
    ["in a chord", sent({ group: "g" }, { chord: signature("2") }), by(["2"])],
    ["in a chord of 5.7", sent({ group: "g" }, { chord: signature("2", { group_id: "g" }) }), by(["2"])],
    ["in a chord of a group", sent({ group: "g" }, { chord: signature("2", { group_id: "h" }) }), by([])],
    [
      "pickled, in a chain",
      sent({}, { chain: [signature("2")] }, "application/x-python-serialize"),
      by(["1"]),
    ],
  ])("%s gives the results %j", (_, found, expected) => {
    expect(found).toEqual(expected);
  });
});

const NEW = { isRedelivered: false, retries: 0, routingKey: "celery", subtask: null };

describe("unacknowledged messages", () => {
  const unacked = (text: string) => readUnacked(`[${text}, "", "celery"]`, 50);

  test.each([
    [message({ task: "a", id: "1", eta: "1970-01-01T00:01:40+00:00" }, []), 100],
    [message({ task: "a", id: "1", eta: "1970-01-01T02:01:40.500000+02:00" }, []), 100.5],
    [message({ task: "a", id: "1", eta: "1970-01-01T00:01:40" }, []), null],
    [message({ task: "a", id: "1", eta: null }, []), null],
    [message({}, { task: "a", id: "1", eta: "1970-01-01T00:01:40Z" }), 100],
  ])("%s is due at %s", (text, etaS) => {
    const isTimed = !text.includes('"eta":null');
    expect(unacked(text)).toEqual({ task: { name: "a", id: "1" }, etaS, isTimed, deliveredS: 50, ...NEW });
  });

  test("show whether they were put back, and how often they were retried", () => {
    const headers = { task: "a", id: "1", redelivered: true, retries: 7 };
    expect(unacked(message(headers, []))).toMatchObject({ isRedelivered: true, retries: 7 });
  });

  test("says by which task it was sent, and by which key it came", () => {
    const text = message({ task: "a", id: "1", parent_id: "0" }, []);
    expect(unacked(text)).toMatchObject({ routingKey: "celery", subtask: { parent: "0", results: ["1"] } });
    expect(readUnacked(`[${text}]`, 50)).toMatchObject({ routingKey: "" });
  });

  test("a damaged message is not a delivery", () => {
    expect([readUnacked("{", 0), readUnacked("[]", 0), readUnacked("[1]", 0)]).toEqual([null, null, null]);
  });
});

test("an answer has tasks, and some of them have a rate limit", () => {
  const answer = ["a [rate_limit=1/m]", "b", "c [rate_limit=10/s time_limit=3]", 4];
  expect(rateLimits(answer)).toEqual(
    new Map([
      ["a", true],
      ["b", false],
      ["c", true],
    ]),
  );
  expect(rateLimits({ error: "no" })).toBeNull();
});

describe("a delivery", () => {
  const limits = new Map([
    ["limited", true],
    ["plain", false],
  ]);
  const one = (name: string, more: Partial<Unacked> = {}): Unacked => {
    return { task: { name, id: "1" }, etaS: null, isTimed: false, deliveredS: 50, ...NEW, ...more };
  };
  test.each([
    ["with a rate limit may be held", one("limited"), true],
    ["without ETA and rate limit is not held", one("plain"), false],
    ["of another worker's task is not held", one("foreign"), false],
    ["whose ETA is in the future may be held", one("plain", { etaS: 1_100, isTimed: true }), true],
    [
      "whose ETA was a moment ago may be held, because clocks differ",
      one("plain", { etaS: 950, isTimed: true }),
      true,
    ],
    ["whose ETA is long over is not held", one("plain", { etaS: 900, isTimed: true }), false],
    ["whose ETA is in an unknown zone may be held", one("plain", { isTimed: true }), true],
  ])("%s", (_, delivery, expected) => {
    expect(mayBeHeld(delivery, limits, 1_000)).toBe(expected);
  });
});
