import { type BrokerFailure, type Refused, refusedBy } from "../broker/failure.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel, Reply } from "./channel.ts";
import { type Answer, decodeReply } from "./message.ts";

/** The list that collects the replies to us. */
export interface ReplyList {
  readonly key: string;
  /** How many elements survive the next ping: simultaneous probes of the same nodes read the same list. */
  readonly keep: number;
}

/** A reply list on an open connection. */
export interface Mailbox {
  /**
   * Prepares the list and publishes `message` on `topic`.
   *
   * @returns how many connections are subscribed to `topic` on this server
   */
  readonly publish: (topic: string, message: string) => Promise<Outcome<number, BrokerFailure>>;
  /**
   * Shows `enough` the replies that have come since the first message, each once, until it is content or `waitMs`
   * milliseconds have passed.
   */
  readonly collect: (
    enough: (answers: readonly Answer[]) => boolean | Promise<boolean>,
    waitMs: number,
  ) => Promise<Outcome<void, BrokerFailure>>;
}

/** What a mailbox needs to wait: a clock, and how long the broker may take for its next answer, in milliseconds. */
export interface Patience {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly answerMs: () => number;
}

/**
 * How long a reply list lives after the last ping, in seconds. A worker silent for hours answers every old ping
 * when it wakes; a push to a list that has expired by then would make a key that never does.
 */
const LIVES_SECONDS = 86_400;

/** An empty element at the tail: a list cannot carry a time to live before it exists. */
const TOMBSTONE = "";

/** Elements read at a look: one new reply and the one known before it; four times as many where that is not enough. */
const FIRST_LOOK = 2;

/**
 * For so long, in milliseconds, the list is looked at without a pause: an idle worker answers within one or two, and a
 * timer takes as long as that.
 */
const PROMPT_MS = 2;

export function openMailbox(channel: Channel, list: ReplyList, patience: Patience): Mailbox {
  /** The element at the head when we looked last: workers push at the head, so what is before it is new. */
  let newest: string | null = null;

  /**
   * One transaction: where the broker refuses any part of it, nothing is published. A worker pinged while its broker
   * is full, or may not be written to, fails over its own reply; some never recover.
   *
   * MULTI must be acknowledged before the rest is sent: where it is refused, the other commands would run one by
   * one, PUBLISH included. The list's type is seen before as well, since WRONGTYPE does not abort a transaction.
   */
  async function publish(topic: string, message: string): Promise<Outcome<number, BrokerFailure>> {
    const opened = await channel.send([["TYPE", list.key], ["MULTI"]], patience.answerMs());
    if (!opened.ok) return opened;
    const [type, multi] = opened.value;
    if (!type?.ok || !isType(type.value)) return failure(refusal("TYPE", type));
    if (!multi?.ok || multi.value !== "OK") return failure(refusal("MULTI", multi));
    if (type.value !== "none" && type.value !== "list") return failure(occupied(list.key, type.value));

    const queued = ["RPUSH", "LTRIM", "EXPIRE", "LRANGE", "PUBLISH"] as const;
    const sent = await channel.send(
      [
        [queued[0], list.key, TOMBSTONE],
        [queued[1], list.key, 0, list.keep - 1],
        [queued[2], list.key, LIVES_SECONDS],
        [queued[3], list.key, 0, 0],
        [queued[4], topic, message],
        ["EXEC"],
      ],
      patience.answerMs(),
    );
    if (!sent.ok) return sent;
    // EXEC itself says only that the transaction was aborted; the command it was aborted for says why.
    for (const [position, name] of queued.entries()) {
      const reply = sent.value[position];
      if (!reply?.ok || reply.value !== "QUEUED") return failure(refusal(name, reply));
    }
    const executed = sent.value[queued.length];
    const results: unknown = executed?.ok ? executed.value : null;
    const [, , , head, receivers] = Array.isArray(results) ? (results as unknown[]) : [];
    if (typeof receivers !== "number" || !Array.isArray(head)) return failure(refusal("EXEC", executed));
    newest ??= String(head[0]);
    return success(receivers);
  }

  /**
   * LRANGE leaves the list as it is: a blocking pop would take the tombstone and with it the time to live, and the
   * replies that a simultaneous probe waits for.
   */
  async function collect(
    enough: (answers: readonly Answer[]) => boolean | Promise<boolean>,
    waitMs: number,
  ): Promise<Outcome<void, BrokerFailure>> {
    const start = patience.now();
    for (;;) {
      const waited = patience.now() - start;
      if (waited >= PROMPT_MS)
        await patience.pause(Math.min(pollInterval(waited), Math.max(0, waitMs - waited)));
      const fresh = await readNew();
      if (!fresh.ok) return fresh;
      const answers = fresh.value.map(decodeReply).filter((answer) => answer !== null);
      if ((await enough(answers)) || patience.now() - start >= waitMs) return success(undefined);
    }
  }

  /** The elements before the newest one known; a look that finds nothing new costs two elements. */
  async function readNew(): Promise<Outcome<readonly string[], BrokerFailure>> {
    for (let size = FIRST_LOOK; ; size *= 4) {
      const read = await channel.send([["LRANGE", list.key, 0, size - 1]], patience.answerMs());
      if (!read.ok) return read;
      const [reply] = read.value;
      if (!reply?.ok || !Array.isArray(reply.value)) return failure(refusal("LRANGE", reply));
      const elements = reply.value.map(String);
      const known = elements.indexOf(newest ?? TOMBSTONE);
      if (known === -1 && elements.length === size) continue;
      newest = elements[0] ?? TOMBSTONE;
      return success(known === -1 ? elements : elements.slice(0, known));
    }
  }

  return { publish, collect };
}

/** Whether it is what TYPE answers: one word, of Redis or of a module, and not the `OK` of another protocol. */
function isType(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z][\w-]*$/.test(value) && value !== "OK";
}

function occupied(key: string, type: string): Refused {
  return { kind: "refused", cause: "wrong-type", command: "TYPE", detail: `${key} is a ${type}` };
}

function refusal(command: string, reply: Reply | undefined): Refused {
  if (reply !== undefined && !reply.ok) return refusedBy(command, reply.error);
  const detail = `${command} was answered with ${JSON.stringify(reply?.value ?? null)}`;
  return { kind: "refused", cause: "not-redis", command, detail };
}

/**
 * Milliseconds until the next look: a sixteenth of the time waited so far, which is how late the reply may be seen.
 * Three seconds of waiting cost 170 looks.
 */
function pollInterval(waitedMs: number): number {
  return Math.min(25, Math.max(1, waitedMs / 16));
}
