import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { ChainableCommander, Redis } from "ioredis";

/**
 * The test world's own implementation of Celery's remote control. On purpose, it uses no code of `src/`. It tells
 * whether a worker listens, and it records the answers that the product is then tested against.
 */

/** The channel of a worker with default settings. */
export function pidboxChannel(db: number): string {
  return `/${db}.celery.pidbox`;
}

/** How many connections listen. Workers ignore an empty message. */
export async function countListeners(redis: Redis, channel: string): Promise<number> {
  return redis.publish(channel, "");
}

export interface Question {
  readonly channel: string;
  readonly method: string;
  /** Full node names. */
  readonly destination: readonly string[];
  /** The list's name in Redis, including `keyPrefix`. */
  readonly replyKey: string;
  /** The prefix that the worker itself adds to keys. Default: none. */
  readonly keyPrefix?: string;
  readonly ticket: string;
  /** How long an answer may stay unread, in seconds. */
  readonly ttl: number;
}

/**
 * Publishes one question, in a transaction. The transaction first makes the reply list and gives it a time to live. A
 * list can have that only while it exists, and a list made by a late answer would stay for ever. If the answer goes to
 * another server, the list is first made there.
 *
 * A message of another form ends workers. `properties` and its `delivery_tag` must be there, and the body must have the
 * form that `body_encoding` names.
 *
 * @returns the number of connections that received it
 */
export async function publishQuestion(redis: Redis, question: Question, replies = redis): Promise<number> {
  const list = replies
    .multi()
    .rpush(question.replyKey, "")
    .ltrim(question.replyKey, 0, 31)
    .expire(question.replyKey, question.ttl);
  if (replies === redis) return Number(await lastOf(list.publish(question.channel, envelope(question))));
  await lastOf(list);
  return redis.publish(question.channel, envelope(question));
}

/** The result of the last command of a transaction. @throws Error if it was refused */
async function lastOf(transaction: ChainableCommander): Promise<unknown> {
  const results = await transaction.exec();
  const [error, last] = results?.at(-1) ?? [new Error("the transaction was discarded"), null];
  if (error !== null) throw error;
  return last;
}

function envelope(question: Question): string {
  const body = {
    method: question.method,
    arguments: {},
    destination: question.destination,
    pattern: null,
    matcher: null,
    ticket: question.ticket,
    reply_to: { exchange: "", routing_key: question.replyKey.slice(question.keyPrefix?.length) },
  };
  return JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { clock: 0, expires: Math.floor(Date.now() / 1000) + question.ttl },
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: "celery.pidbox", routing_key: "" },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: randomUUID(),
    },
  });
}

/** The raw answers in the reply list: at least `count` of them, or all that are there after `timeoutMs`. */
export async function rawReplies(
  redis: Redis,
  replyKey: string,
  { count = 1, timeoutMs = 5_000 } = {},
): Promise<string[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const replies = (await redis.lrange(replyKey, 0, -1)).filter((element) => element !== "");
    if (replies.length >= count || performance.now() >= deadline) return replies;
    await wait(5);
  }
}

/** The place of a worker that listens, answers or keeps its keys elsewhere than by default. */
export interface Elsewhere {
  /** Default: none. */
  readonly keyPrefix?: string;
  /** The database that it answers in. Default: the one where it is asked. */
  readonly replies?: Redis;
}

/**
 * Resolves with true when the worker of this name has answered a ping, with false if it has not answered in time.
 * Leaves no key behind.
 */
export async function answersPing(
  redis: Redis,
  channel: string,
  node: string,
  timeoutMs: number,
  { keyPrefix = "", replies = redis }: Elsewhere = {},
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const replyKey = `${keyPrefix}${randomUUID()}.reply.celery.pidbox`;
  const question: Question = {
    channel,
    method: "ping",
    destination: [node],
    replyKey,
    keyPrefix,
    ticket: randomUUID(),
    ttl: 60,
  };
  let asked = false;
  while (performance.now() < deadline) {
    // A worker subscribes a moment after it reports that it is ready, and pub/sub keeps no message for late
    // subscribers.
    asked = (await publishQuestion(redis, question, replies)) > 0;
    const found = await rawReplies(replies, replyKey, { timeoutMs: asked ? 250 : 10 });
    if (found.length > 0) {
      await replies.del(replyKey);
      return true;
    }
  }
  return false;
}
