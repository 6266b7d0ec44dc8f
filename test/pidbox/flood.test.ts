import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Collected } from "../../src/pidbox/decoding.ts";
import { MOST, roomFor } from "../../src/pidbox/envelope.ts";
import { openMailbox } from "../../src/pidbox/mailbox.ts";
import { decodeReply } from "../../src/pidbox/message.ts";
import { startSeen, traceOf } from "../../src/pidbox/seen.ts";
import { reply } from "../health/fake-host.ts";
import { FakeLists } from "./fake-lists.ts";

const KEY = "x.reply.celery.pidbox";
const ROUTE = { channel: "/0.celery.pidbox", lists: [KEY] };
const PATIENCE = {
  now: () => performance.now(),
  pause: (ms: number) => setTimeout(ms),
  answerMs: () => 1_000,
};

/** 0.6 MB on the list, more than is decoded at one go, full of numbers whose digits are kept. */
function numbers(ticket: string, tag = 0): string {
  const envelope = { ...(JSON.parse(reply("celery@a", ticket)) as Record<string, unknown>), tag };
  const body = `{"celery@a": [${"12345678901234567,".repeat(25_000)}1]}`;
  return JSON.stringify({ ...envelope, body: Buffer.from(body).toString("base64") });
}

/** A mailbox that has asked, and whose list holds these elements since. */
async function asked(elements: readonly string[]) {
  const lists = new FakeLists(() => undefined);
  const channel = lists.connect(() => Promise.resolve());
  const mailbox = openMailbox({ requests: channel, replies: channel, db: 0 }, 32, PATIENCE);
  await mailbox.publish(ROUTE, "ping");
  for (const element of elements) lists.push(KEY, element);
  return mailbox;
}

/** Processor time of this thread that it takes, in milliseconds. */
async function cost(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

const OURS = { tickets: new Set(["ours"]), longest: MOST.length };

describe("a reply list full of large answers", () => {
  test("costs next to nothing when they have another's ticket", async () => {
    const mailbox = await asked([
      reply("celery@b", "ours"),
      ...Array.from({ length: 8 }, () => numbers("theirs")),
    ]);
    const nodes: string[] = [];
    const spent = await cost(() =>
      mailbox.collect(
        (answers) => {
          for (const { said } of answers) if (said.kind === "read") nodes.push(said.node);
          return nodes.length > 0;
        },
        5_000,
        OURS,
      ),
    );
    expect(nodes).toEqual(["celery@b"]);
    // Decoding one of them takes as long.
    expect(spent).toBeLessThan(250);
  });

  test("costs next to nothing when they are longer than what is asked for can be", async () => {
    const mailbox = await asked(Array.from({ length: 8 }, () => numbers("ours")));
    const shown: Collected[] = [];
    const spent = await cost(() =>
      mailbox.collect((answers) => shown.push(...answers) === 8, 5_000, { ...OURS, longest: 65_536 }),
    );
    expect(shown[0]?.said).toMatchObject({
      kind: "over-bound",
      bound: "length",
      most: 65_536,
      node: "celery@a",
    });
    expect(spent).toBeLessThan(250);
  });

  test("is decoded one by one, with turns for timers in between, and goes on at the next wait", async () => {
    const mailbox = await asked(Array.from({ length: 3 }, (_, tag) => numbers("ours", tag)));
    const shown: number[] = [];
    const turns: number[] = [];
    let isOver = false;
    const turning = (async () => {
      for (let turn = 0; !isOver; turn++) {
        turns.push(turn);
        await setImmediate();
      }
    })();
    const turnsAt: number[] = [];
    const show = (answers: readonly Collected[]) => {
      shown.push(answers.length);
      turnsAt.push(turns.length);
      return false;
    };
    // Over after the first: it takes longer than that.
    await mailbox.collect(show, 1, OURS);
    expect(shown).toEqual([1]);
    await mailbox.collect((answers) => show(answers) || shown.length === 3, 5_000, OURS);
    isOver = true;
    await turning;
    expect(shown).toEqual([1, 1, 1]);
    expect(new Set(turnsAt).size).toBe(3);
  });

  test("is told by its nodes once all of it is more than is kept", () => {
    const text = numbers("ours");
    const needed = roomFor(text.length, 4 * 25_000 + 2);
    const room = { left: 2 * needed - 1 };
    expect(decodeReply(text, { ...OURS, room })?.said.kind).toBe("read");
    expect(room.left).toBe(needed - 1);
    expect(decodeReply(text, { ...OURS, room })).toEqual({
      ticket: "ours",
      said: { kind: "over-bound", node: "celery@a", bound: "total", most: MOST.total, length: text.length },
    });
    expect(decodeReply(text, { ...OURS, room: { left: 0 } })?.said.kind).toBe("over-bound");
    expect(decodeReply(text, { tickets: new Set(["another"]), room: { left: 0 } })).toBeNull();
  });
});

describe("the elements seen", () => {
  test("take no memory by their length", () => {
    const seen = startSeen("");
    const before = process.memoryUsage.rss();
    const length = 4_000_000;
    const make = (at: number) => {
      const bytes = Buffer.alloc(length, "x");
      bytes.write(`${at} `);
      return bytes.toString("latin1");
    };
    for (let at = 0; at < 100; at++) seen.add([traceOf(make(at))]);
    // 400 MB of text.
    expect((process.memoryUsage.rss() - before) / 1e6).toBeLessThan(250);
    expect(["", make(0), make(99), make(100), make(1).slice(2)].map(traceOf).map(seen.has)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test("are forgotten from the oldest on when there are ten thousand", () => {
    const seen = startSeen("head");
    seen.add(Array.from({ length: 10_000 }, (_, at) => `newest but ${at}`));
    expect(["head", "newest but 0", "newest but 9999"].map(seen.has)).toEqual([false, true, true]);
  });
});
