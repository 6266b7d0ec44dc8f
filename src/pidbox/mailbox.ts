import type { BrokerFailure } from "../broker/failure.ts";
import type { Route } from "../broker/keys.ts";
import { refusal } from "../broker/turns.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel, Command } from "../broker/channel.ts";
import { type Collected, type Expected, startDecoding, type Unread } from "./decoding.ts";
import { occupation } from "./occupation.ts";
import { openReplyList, type ReplyList } from "./reply-list.ts";

/**
 * The connections of a mailbox. They are the same one, unless the workers write to another broker than they read from.
 */
export interface Lines {
  /** To the broker where workers receive our requests. */
  readonly requests: Channel;
  /** To the broker that they reply to (Celery's `broker_write_url`). */
  readonly replies: Channel;
  /** The number of the database there. */
  readonly db: number;
}

/** Reply lists on open connections. */
export interface Mailbox {
  /**
   * Prepares the lists of the route and publishes `message` on its channel.
   *
   * @returns how many connections to this server are subscribed to the channel
   */
  readonly publish: (route: Route, message: string) => Promise<Outcome<number, BrokerFailure>>;
  /**
   * Gives `enough` the replies with our tickets that have come since the first message, each once. Ends when `enough`
   * returns true or `waitMs` milliseconds have passed. The tickets must belong to all messages whose replies are still
   * wanted.
   */
  readonly collect: (
    enough: (answers: readonly Collected[]) => boolean | Promise<boolean>,
    waitMs: number,
    wanted: Expected,
  ) => Promise<Outcome<void, BrokerFailure>>;
  /** Removes answers from their lists, because they may be large or private. A broker may refuse this. */
  readonly withdraw: (answers: readonly Collected[]) => Promise<void>;
}

/** What a mailbox needs to wait: a clock, and how long the broker may take for its next answer, in milliseconds. */
export interface Patience {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly answerMs: () => number;
}

/**
 * How long a reply list lives after the last ping, in seconds. A worker that was silent for hours answers every old
 * ping when it wakes. If the list had expired by then, these answers would make a key that never expires.
 */
const LIVES_SECONDS = 86_400;

/** How many commands prepare a list. The last one returns its head. */
const PREPARING = 4;

/** An empty element at the tail. It makes the list exist, because only an existing list can have a time to live. */
const TOMBSTONE = "";

/**
 * The list is read without a pause for this time, in milliseconds. An idle worker answers within one or two, which is
 * as long as a timer takes.
 */
const PROMPT_MS = 2;

/** A mailbox and what it has read so far. */
interface Held {
  readonly lines: Lines;
  readonly keep: number;
  readonly patience: Patience;
  /** The lists that have been prepared. */
  readonly replyLists: Map<string, ReplyList>;
  /** Elements that one wait had no time to decode. The next wait decodes them. */
  readonly unread: Unread[];
}

/**
 * @param keep how many elements of a list survive the next ping. Simultaneous probes of the same nodes read the same
 * list
 */
export function openMailbox(lines: Lines, keep: number, patience: Patience): Mailbox {
  const held: Held = { lines, keep, patience, replyLists: new Map(), unread: [] };
  return {
    publish: (route, message) => publish(held, route, message),
    collect: (enough, waitMs, wanted) => collect(held, enough, waitMs, wanted),
    withdraw: (answers) => withdraw(held, answers),
  };
}

/**
 * Uses one transaction: if the broker refuses any part of it, nothing is published. Suppose that a worker is pinged
 * while its broker is full or refuses writes. It then fails at its own reply, and some workers never recover.
 *
 * The list's type is read before, because WRONGTYPE does not abort a transaction.
 */
async function publish(
  held: Held,
  { channel, lists, ofAllDatabases }: Route,
  message: string,
): Promise<Outcome<number, BrokerFailure>> {
  const { lines, keep, patience } = held;
  const request: Command = ["PUBLISH", channel, message];
  const isOneBroker = lines.requests === lines.replies;
  const elsewhere = ofAllDatabases ? inOtherDatabases(held, lists, await otherDatabases(held)) : [];
  const preparing = [...elsewhere, ...lists.flatMap((key) => preparation(key, keep))];
  const executed = await lines.replies.transact(
    lists.map((key) => ["TYPE", key]),
    (types) => {
      const problem = occupation(lists, types);
      return problem === null ? success(isOneBroker ? [...preparing, request] : preparing) : failure(problem);
    },
    patience.answerMs,
  );
  if (!executed.ok) return executed;
  const results = executed.value.slice(elsewhere.length);
  const problem = openLists(held, lists, results);
  if (problem !== null) return failure(problem);
  return isOneBroker ? asCount(results.at(-1), "EXEC") : publishElsewhere(held, request);
}

/** The databases that hold any keys, because each worker's database holds some. Empty if we may not ask for them. */
async function otherDatabases({ lines, patience }: Held): Promise<readonly number[]> {
  const sent = await lines.replies.send([["INFO", "keyspace"]], patience.answerMs());
  const reply = sent.ok ? sent.value[0] : undefined;
  const text = reply?.ok ? String(reply.value) : "";
  return Array.from(text.matchAll(/^db(\d+):/gm), ([, number]) => Number(number)).filter(
    (number) => number !== lines.db,
  );
}

/** A worker of another database pushes to a key there. If we did not make that key first, it would never expire. */
function inOtherDatabases(
  { lines, keep }: Held,
  keys: readonly string[],
  databases: readonly number[],
): readonly Command[] {
  if (databases.length === 0) return [];
  return [
    ...databases.flatMap((number): readonly Command[] => [
      ["SELECT", number],
      // The last command of a preparation only reads.
      ...keys.flatMap((key) => preparation(key, keep).slice(0, -1)),
    ]),
    ["SELECT", lines.db],
  ];
}

function preparation(key: string, keep: number): readonly Command[] {
  return [
    // The tombstone is pushed last. On a full list LTRIM would remove it, and then the time to live would go with the
    // last reply.
    ["LTRIM", key, 0, keep - 1],
    ["RPUSH", key, TOMBSTONE],
    ["EXPIRE", key, LIVES_SECONDS],
    ["LRANGE", key, 0, 0],
  ];
}

/** @param results of the preparation of each list, in the order of the lists */
function openLists(
  { lines, patience, replyLists }: Held,
  lists: readonly string[],
  results: readonly unknown[],
): BrokerFailure | null {
  const send = (command: Command) => lines.replies.send([command], patience.answerMs());
  for (const [position, key] of lists.entries()) {
    const head = results[position * PREPARING + PREPARING - 1];
    if (!Array.isArray(head)) return refusal("EXEC", { ok: true, value: results });
    if (!replyLists.has(key)) replyLists.set(key, openReplyList(key, String(head[0]), send));
  }
  return null;
}

/** Nothing else is written to the broker of the requests, so a transaction would protect nothing there. */
async function publishElsewhere(
  { lines, patience }: Held,
  request: Command,
): Promise<Outcome<number, BrokerFailure>> {
  const sent = await lines.requests.send([request], patience.answerMs());
  if (!sent.ok) return sent;
  const [reply] = sent.value;
  return reply?.ok ? asCount(reply.value, "PUBLISH") : failure(refusal("PUBLISH", reply));
}

/**
 * LRANGE does not change the list. A blocking pop would take the tombstone and its time to live. It would also take
 * replies that a simultaneous probe waits for.
 */
async function collect(
  held: Held,
  enough: Parameters<Mailbox["collect"]>[0],
  waitMs: number,
  expected: Expected,
): Promise<Outcome<void, BrokerFailure>> {
  const { patience, unread } = held;
  const start = patience.now();
  const decoding = startDecoding(expected);
  for (;;) {
    const waited = patience.now() - start;
    if (unread.length > 0) await patience.pause(0);
    else {
      if (waited >= PROMPT_MS)
        await patience.pause(Math.min(pollInterval(waited), Math.max(0, waitMs - waited)));
      const fresh = await readNew(held, expected);
      if (!fresh.ok) return fresh;
      for (const one of fresh.value) unread.push(one);
    }
    if ((await enough(decoding.next(unread))) || patience.now() - start >= waitMs) return success(undefined);
  }
}

/**
 * The new elements that contain one of our tickets. Any client can push to the list. Text without our ticket is neither
 * decoded nor kept. A ticket is a UUID, and kombu writes it unchanged.
 */
async function readNew(
  { replyLists }: Held,
  { tickets }: Expected,
): Promise<Outcome<readonly Unread[], BrokerFailure>> {
  const ours = [...tickets];
  const fresh: Unread[] = [];
  for (const [key, list] of replyLists) {
    const read = await list.next();
    if (!read.ok) return read;
    for (const element of read.value)
      if (ours.some((ticket) => element.includes(ticket))) fresh.push({ key, element });
  }
  return success(fresh);
}

async function withdraw({ lines, patience, replyLists }: Held, answers: readonly Collected[]): Promise<void> {
  if (answers.length === 0) return;
  const commands = answers.map(({ key, element }): Command => ["LREM", key, 1, element]);
  const sent = await lines.replies.send(commands, patience.answerMs());
  for (const [position, { key }] of answers.entries()) {
    const reply = sent.ok ? sent.value[position] : undefined;
    if (reply?.ok === true) replyLists.get(key)?.withdrawn(Number(reply.value));
  }
}

function asCount(value: unknown, command: string): Outcome<number, BrokerFailure> {
  return typeof value === "number" ? success(value) : failure(refusal(command, { ok: true, value }));
}

/**
 * Milliseconds until the next look: a sixteenth of the time waited so far. A reply may be seen that much later. Three
 * seconds of waiting cost 170 looks.
 */
function pollInterval(waitedMs: number): number {
  return Math.min(25, Math.max(1, waitedMs / 16));
}
