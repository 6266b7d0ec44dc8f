import { describe, expect, test } from "vitest";
import { BOUNDS, roomOf } from "../../src/broker/bounds.ts";
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
    ["a text", "PING", `$${64 * 1_024}\r\n`],
    ["the sum of its texts", "PING", `*9\r\n${bulk("x".repeat(60 * 1_024))}$${4 * 1_024}\r\n`],
    ["its elements", "SMEMBERS", `*${BOUNDS.elements + 1}\r\n`],
    ["the elements of a list", "LRANGE", `*${BOUNDS.texts + 1}\r\n`],
    [
      "the sum of its lists",
      "SMEMBERS",
      list(...Array.from({ length: 3 }, () => `*${Math.ceil(BOUNDS.elements / 2)}\r\n`)),
    ],
    ["nesting", "PING", "*1\r\n".repeat(BOUNDS.nesting + 1)],
    ["a line", "PING", `+${"x".repeat(BOUNDS.lineBytes + 1)}`],
  ])("says too-large of %s over its bound", (_, command, reply) => {
    expect(passed(reply, [[command]], size).problem).toMatchObject({ cause: "too-large", command });
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

// What is answered with a number needs no megabyte, whatever a server sends.
test.each([
  ["AUTH", 65_536],
  ["SELECT", 65_536],
  ["PING", 65_536],
  ["TYPE", 65_536],
  ["LLEN", 65_536],
  ["HLEN", 65_536],
  ["PUBLISH", 65_536],
  ["EXPIRE", 65_536],
  ["GETRANGE", 65_536],
  ["ROLE", 65_536],
  ["INFO", 1_048_576],
  ["SENTINEL", 1_048_576],
  ["HMGET", 1_048_576],
  ["SCAN", 8_388_608],
  ["SMEMBERS", 8_388_608],
])("a reply to %s has %d bytes at most", (command, bytes) => {
  expect(roomOf(command).bytes).toBe(bytes);
  expect(passed(`$${bytes - 50}\r\n`, [[command]], 65_536).problem).toBeNull();
  for (const reply of [`$${bytes}\r\n`, `*2\r\n$1\r\na\r\n$${bytes}\r\n`])
    expect(passed(reply, [[command]], 65_536).problem).toMatchObject({ cause: "too-large", command });
});

describe("replies to one write are bounded in all", () => {
  const text = bulk("x".repeat(60 * 1_024));
  const many = Math.floor(BOUNDS.replyBytes / text.length);

  test("by their bytes", () => {
    const asked = Array.from({ length: many + 1 }, () => ["LLEN"] as const);
    expect(passed(text.repeat(many), asked, 65_536).problem).toBeNull();
    expect(passed(text.repeat(many + 1), asked, 65_536).problem).toMatchObject({
      cause: "too-large",
      detail: expect.stringContaining("replies to one write") as string,
    });
  });

  test("by their elements", () => {
    const asked = Array.from({ length: 100 }, () => ["LLEN"] as const);
    const reply = `*10000\r\n${":1\r\n".repeat(10_000)}`;
    expect(passed(reply.repeat(25), asked, 65_536).problem).toBeNull();
    expect(passed(reply.repeat(26), asked, 65_536).problem).toMatchObject({ cause: "too-large" });
  });

  test("and those to the next write by themselves", () => {
    const gate = openWireGate();
    for (let write = 0; write < 3; write++) {
      gate.expect(Array.from({ length: many }, () => ["LLEN"]));
      expect(gate.pass(Buffer.from(text.repeat(many))).problem).toBeNull();
    }
  });
});

test.each([7, 65_536])("a message that is no heartbeat is cut, in pieces of %d bytes", (size) => {
  const long = "x".repeat(1_000_000);
  const cut = `${"x".repeat(END_BYTES)}${cutMark(long.length)}${"x".repeat(END_BYTES)}`;
  const sent = SUBSCRIBED + message("pmessage", "*.a", "x.a", long) + message("pmessage", long, long, "{}");
  const { through, problem } = passed(sent, [PSUBSCRIBE], size);
  expect(problem).toBeNull();
  const heard = message("pmessage", "*.a", "x.a", cut) + message("pmessage", cut, cut, "{}");
  expect(through === SUBSCRIBED + heard).toBe(true);
});

test("both ends of a CLIENT LIST are passed on when it has more connections than are read", () => {
  const rows = "id=1 addr=10.0.0.7:1 cmd=brpop\n".repeat(300_000);
  const { through, problem } = passed(bulk(rows), [["CLIENT", "LIST"]], 65_536);
  expect(problem).toBeNull();
  expect(through).toContain(cutMark(rows.length));
  expect(through.length).toBeLessThan(3_000);
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
  test("holds back a wrong length, and all of a reply that breaks off", () => {
    expect(passed("+OK\r\n$x\r\n", [["PING"], ["LINDEX"]], size)).toMatchObject({
      through: "+OK\r\n",
      problem: { cause: "not-redis" },
    });
    expect(passed("$-1\r\n$0\r\n\r\n", [["LINDEX"], ["LINDEX"]], size).through).toBe("$-1\r\n$0\r\n\r\n");
  });
});
