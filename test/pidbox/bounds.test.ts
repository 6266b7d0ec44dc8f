import { describe, expect, test } from "vitest";
import { MOST, parseJson } from "../../src/pidbox/envelope.ts";
import { decodeReply } from "../../src/pidbox/message.ts";
import type { Mailbox } from "../../src/pidbox/mailbox.ts";
import { parsePythonJson } from "../../src/pidbox/python-json.ts";
import { answersIn, hasAnswered, query } from "../../src/pidbox/query.ts";
import { success } from "../../src/outcome.ts";

/** A reply as kombu writes it, for a body that may be damaged. */
function reply(body: string): string {
  return `{"body": "${Buffer.from(body).toString("base64")}", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"clock": 7, "expires": null, "ticket": "our-ticket"}, "properties": {"body_encoding": "base64", "priority": 0}}`;
}

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("an answer over a bound", () => {
  test("is told by its length and its node when it is too large", () => {
    const text = reply(`{"celery@web-1": {"ok": "${"x".repeat(MOST.length)}"}}`);
    expect(decodeReply(text)).toEqual({
      ticket: "our-ticket",
      said: {
        kind: "over-bound",
        node: "celery@web-1",
        bound: "length",
        length: text.length,
        most: MOST.length,
      },
    });
  });

  test("is told by its node when lists stand in each other too deep", () => {
    const text = reply(`{"celery@wéb \\"1\\"": ${nested(MOST.depth)}}`);
    expect(decodeReply(text)).toEqual({
      ticket: "our-ticket",
      said: {
        kind: "over-bound",
        node: 'celery@wéb "1"',
        bound: "depth",
        length: text.length,
        most: MOST.depth,
      },
    });
  });

  test("is told when it has too many values", () => {
    const text = reply(`{"celery@web-1": [{}${",{}".repeat(MOST.values / 2)}]}`);
    expect(decodeReply(text)?.said).toMatchObject({
      node: "celery@web-1",
      bound: "values",
      most: MOST.values,
    });
  });

  test("is read when it just keeps it", () => {
    expect(decodeReply(reply(`{"celery@web-1": ${nested(MOST.depth - 1)}}`))?.said.kind).toBe("read");
    const [most, over] = [MOST.length, MOST.length + 1].map((length) => `"${"x".repeat(length - 2)}"`);
    expect([parseJson(most ?? ""), parseJson(over ?? "")].map((read) => typeof read)).toEqual([
      "string",
      "undefined",
    ]);
    expect(parseJson(`"${"[".repeat(5_000)}"`)).toHaveLength(5_000);
    expect(parseJson(`"\\"${"[".repeat(5_000)}"`)).toHaveLength(5_001);
  });

  test("is nobody's when no ticket or no name can be seen in it", () => {
    expect(decodeReply("[".repeat(MOST.length + 1))).toBeNull();
    const nameless = decodeReply(reply("[".repeat(MOST.length)));
    expect(nameless?.said).toMatchObject({ kind: "over-bound", node: null });
  });
});

/** What made decoding slow, or its stack overflow; each with a number that JavaScript would round. */
const DAMAGED: readonly (readonly [string, (length: number) => string])[] = [
  ["quotes that are escaped and never end", (length) => `12345678901234567 "${'\\"'.repeat(length / 2)}`],
  ["quotes", (length) => `12345678901234567 ${'"'.repeat(length)}x`],
  ["backslashes", (length) => `12345678901234567 "${"\\".repeat(length)}`],
  ["a long string", (length) => `[12345678901234567, "${"x".repeat(length)}"]`],
  ["many numbers", (length) => `[12345678901234567${", 12345678901234567".repeat(length / 19)}]`],
  ["many infinities", (length) => `[Infinity${",Infinity".repeat(Math.min(length / 9, MOST.values - 1))}]`],
  ["digits", (length) => "1".repeat(length)],
  ["zeros in front", (length) => `[${"0000000000000000001,".repeat(length / 20)}1]`],
  ["brackets", (length) => `12345678901234567 ${"[".repeat(length)}`],
  ["empty objects", () => `[12345678901234567${",{}".repeat(MOST.values / 2 - 1)}]`],
];

test.each(DAMAGED)("%s are decoded, or refused, in time when a list's element is full of them", (_, make) => {
  const text = make(MOST.length * 0.7);
  const before = process.threadCpuUsage();
  parsePythonJson(text);
  decodeReply(reply(text));
  const { user, system } = process.threadCpuUsage(before);
  // Twice 3 MB, in microseconds of this thread; what was quadratic took 13 s for 160 kB.
  expect(user + system).toBeLessThan(2_000_000);
});

test("query names nodes that answered more than is read, and waits no longer", async () => {
  const large = decodeReply(reply(`{"celery@web-1": ${nested(MOST.depth)}}`));
  if (large === null) throw new Error("no reply");
  const withdrawn: string[] = [];
  const mailbox: Mailbox = {
    publish: () => Promise.resolve(success(1)),
    async collect(enough) {
      const isEnough = await enough([{ ...large, key: "list", element: "the element" }]);
      return isEnough ? success(undefined) : Promise.reject(new Error("it waits on"));
    },
    withdraw(answers) {
      withdrawn.push(...answers.map(({ element }) => element));
      return Promise.resolve();
    },
  };
  const route = { channel: "/0.celery.pidbox", lists: ["list"] };
  const asked = await query(
    mailbox,
    { route, message: "message", ticket: "our-ticket" },
    {
      isEnough: (replies) => answersIn(replies) === 1 && hasAnswered(replies, "celery@web-1"),
      waitMs: 1_000,
    },
  );
  expect(asked.ok && asked.value.overBound).toMatchObject([{ node: "celery@web-1", bound: "depth" }]);
  expect(withdrawn).toEqual(["the element"]);
});
