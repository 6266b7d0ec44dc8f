import { describe, expect, test } from "vitest";
import { BOUNDS } from "../../src/broker/bounds.ts";
import { bytesBeforeCut, cutMark, END_BYTES } from "../../src/broker/cut-text.ts";
import type { Refused } from "../../src/broker/failure.ts";
import { openWireGate } from "../../src/broker/wire-gate.ts";

type Sent = Parameters<ReturnType<typeof openWireGate>["expect"]>[0];

/** What goes on of a text that comes in pieces of so many bytes, and what is wrong with the rest. */
function passed(text: string, expected: Sent, size: number) {
  const gate = openWireGate();
  gate.expect(expected);
  const bytes = Buffer.from(text, "latin1");
  let through = "";
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    const { pieces, problem } = gate.pass(piece);
    through += Buffer.concat(pieces).toString("latin1");
    if (problem !== null) return { through, problem };
  }
  return { through, problem: null as Refused | null };
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const list = (...elements: readonly string[]) => `*${elements.length}\r\n${elements.join("")}`;
const message = (...words: readonly string[]) => list(...words.map(bulk));
const confirmed = (word: string, topic: string, count: number) =>
  list(bulk(word), bulk(topic), `:${count}\r\n`);

const SIZES = [1, 2, 3, 7, 100_000];
const PSUBSCRIBE = ["psubscribe", "*.a", "*.b"] as const;
const SUBSCRIBED = confirmed("psubscribe", "*.a", 1) + confirmed("psubscribe", "*.b", 2);

describe.each(SIZES)("in pieces of %d bytes, the gate", (size) => {
  test.each([
    ["+OK\r\n"],
    ["-ERR no\r\n"],
    [":12\r\n"],
    [":-12\r\n"],
    ["$-1\r\n"],
    ["*-1\r\n"],
    ["*0\r\n"],
    [bulk("")],
    [bulk("a\r\nb")],
    [list(":1\r\n", "+OK\r\n", list(bulk("x"), "$-1\r\n"), "-WRONGTYPE\r\n", "*0\r\n")],
  ])("lets through %j, and not what comes behind it unasked", (reply) => {
    expect(passed(reply, [["PING"]], size)).toEqual({ through: reply, problem: null });
    const { through, problem } = passed(`${reply}$-1\r\n`, [["PING"]], size);
    expect(through.startsWith(reply)).toBe(true);
    expect(problem).toMatchObject({ cause: "not-redis" });
  });

  test.each([
    ["HTTP/1.1 400 Bad Request\r\n"],
    ["_\r\n"],
    ["%1\r\n+a\r\n+b\r\n"],
    [">1\r\n+a\r\n"],
    ["$abc\r\n"],
    ["$-2\r\n"],
    ["*-7\r\n"],
    [":1a\r\n"],
    [":\r\n"],
    ["+OK\rX"],
    ["$1\r\nab\r\n"],
    ["$99999999999999999999\r\n"],
  ])("holds %j back as no Redis", (reply) => {
    expect(passed(reply, [["PING"]], size).problem).toMatchObject({ cause: "not-redis" });
  });

  test.each([
    ["a text", `$${BOUNDS.textBytes + 1}\r\n`],
    [
      "a reply",
      `*3\r\n${bulk("x".repeat(BOUNDS.lineBytes)).repeat(2)}`.replace("*3", `*${BOUNDS.elements + 1}`),
    ],
    [
      "the sum of its lists",
      list(...Array.from({ length: 3 }, () => `*${Math.ceil(BOUNDS.elements / 2)}\r\n`)),
    ],
    ["nesting", "*1\r\n".repeat(BOUNDS.nesting + 1)],
    ["a line", `+${"x".repeat(BOUNDS.lineBytes + 1)}`],
  ])("says too-large of %s over its bound", (_, reply) => {
    expect(passed(reply, [["PING"]], size).problem).toMatchObject({ cause: "too-large" });
  });

  test("lets messages through when the subscriptions are confirmed", () => {
    const text = `+OK\r\n${SUBSCRIBED}${message("pmessage", "*.a", "x.a", "{}")}${message("message", "x.a", "")}`;
    expect(passed(text, [["AUTH", "pw"], PSUBSCRIBE], size)).toEqual({ through: text, problem: null });
  });

  test.each([
    ["$-1\r\n"],
    ["*-1\r\n"],
    ["+PONG\r\n"],
    [message("message")],
    [message("message", "x.a")],
    [message("pmessage", "*.a", "x.a")],
    [list(bulk("pmessage"), "$-1\r\n", bulk("x.a"), bulk("{}"))],
    [list(bulk("message"), bulk("x.a"), "$-1\r\n")],
    [list("$-1\r\n", bulk("x.a"), bulk("{}"))],
    [confirmed("psubscribe", "*.c", 3)],
    [confirmed("unsubscribe", "*.a", 1)],
  ])("holds %j back when it is subscribed", (text) => {
    const { through, problem } = passed(SUBSCRIBED + text, [PSUBSCRIBE], size);
    expect(through.startsWith(SUBSCRIBED)).toBe(true);
    expect(problem).toMatchObject({ cause: "not-redis" });
  });

  test.each([["$-1\r\n"], ["*0\r\n"], [message("psubscribe")], [confirmed("subscribe", "*.a", 1)]])(
    "holds %j back when it is to confirm a subscription",
    (text) => {
      expect(passed(text, [PSUBSCRIBE], size).problem).toMatchObject({ cause: "not-redis" });
    },
  );

  test("gives a server's own words when it refuses before it was asked", () => {
    expect(passed("-DENIED Redis is running in protected mode\r\n", [], size).problem).toMatchObject({
      cause: "protected-mode",
    });
  });
});

test("a reply is bounded in all when each of its texts is not too large", () => {
  const text = bulk("x".repeat(BOUNDS.textBytes));
  expect(passed(list(text, text, text), [["SMEMBERS"]], 65_536).problem).toMatchObject({
    cause: "too-large",
    detail: expect.stringContaining("a reply") as string,
  });
});

// Byte for byte megabytes take long.
describe.each([7, 999, 65_536])("of elements of lists in pieces of %d bytes, the gate", (size) => {
  const long = `${"a".repeat(BOUNDS.elementBytes)}${"b".repeat(END_BYTES)}`;
  const cut = `${"a".repeat(END_BYTES)}${cutMark(long.length)}${"b".repeat(END_BYTES)}`;
  const pong = bulk("pong");

  test("passes on both ends of one over its bound, and all of what comes behind it", () => {
    const reply = list(pong, bulk(long), pong) + "+OK\r\n";
    const { through, problem } = passed(reply, [["LRANGE"], ["PING"]], size);
    expect([through, problem]).toEqual([`${list(pong, bulk(cut), pong)}+OK\r\n`, null]);
    expect(bytesBeforeCut(cut)).toBe(long.length);
  });

  test("cuts what stands behind so many bytes in one reply, but short texts", () => {
    const whole = "x".repeat(BOUNDS.elementBytes / 2 + 100);
    const { through } = passed(
      list(...Array.from({ length: 4 }, () => bulk(whole)), pong),
      [["LRANGE"]],
      size,
    );
    const small = `${"x".repeat(END_BYTES)}${cutMark(whole.length)}${"x".repeat(END_BYTES)}`;
    // No report prints 4 MB.
    expect(through === list(bulk(whole), bulk(whole), bulk(small), bulk(small), pong)).toBe(true);
  });
});

describe.each([1, 7, 999])("of a list's elements in pieces of %d bytes, the gate", (size) => {
  test("holds back what is no length, and all of a reply that breaks off", () => {
    expect(passed("+OK\r\n$x\r\n", [["PING"], ["LINDEX"]], size)).toMatchObject({
      through: "+OK\r\n",
      problem: { cause: "not-redis" },
    });
    expect(passed("$-1\r\n$0\r\n\r\n", [["LINDEX"], ["LINDEX"]], size).through).toBe("$-1\r\n$0\r\n\r\n");
  });
});
