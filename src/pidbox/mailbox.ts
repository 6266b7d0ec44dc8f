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

/** A reply list on an open connection, and the means to wait there. */
export interface Mailbox {
  readonly channel: Channel;
  readonly list: ReplyList;
  /** How long the broker may take for its next answer, in milliseconds. */
  readonly patience: () => number;
  readonly clock: { readonly now: () => number; readonly pause: (ms: number) => Promise<void> };
}

/**
 * How long a reply list lives after the last ping, in seconds. A worker silent for hours answers every old ping
 * when it wakes; a push to a list that has expired by then would make a key that never does.
 */
const LIVES_SECONDS = 86_400;

/** An empty element at the tail: a list cannot carry a time to live before it exists. */
const TOMBSTONE = "";

/**
 * Prepares the reply list and publishes `message` on `topic`, in one transaction: where the broker refuses any
 * part of it, nothing is published. A worker pinged while its broker is full, or may not be written to, fails
 * over its own reply; some never recover.
 *
 * MULTI must be acknowledged before the rest is sent: where it is refused, the other commands would run one by
 * one, PUBLISH included. The list's type is seen before as well, since WRONGTYPE does not abort a transaction.
 *
 * @returns how many connections are subscribed to `topic` on this server
 */
export async function publish(
  { channel, list, patience }: Mailbox,
  topic: string,
  message: string,
): Promise<Outcome<number, BrokerFailure>> {
  const opened = await channel.send([["TYPE", list.key], ["MULTI"]], patience());
  if (!opened.ok) return opened;
  const [type, multi] = opened.value;
  if (!type?.ok) return failure(refusal("TYPE", type));
  if (!multi?.ok || multi.value !== "OK") return failure(refusal("MULTI", multi));
  if (!isType(type.value)) return failure(refusal("TYPE", type));
  if (type.value !== "none" && type.value !== "list") return failure(occupied(list.key, type.value));

  const queued = ["RPUSH", "LTRIM", "EXPIRE", "PUBLISH"] as const;
  const sent = await channel.send(
    [
      [queued[0], list.key, TOMBSTONE],
      [queued[1], list.key, 0, list.keep - 1],
      [queued[2], list.key, LIVES_SECONDS],
      [queued[3], topic, message],
      ["EXEC"],
    ],
    patience(),
  );
  if (!sent.ok) return sent;
  // EXEC itself says only that the transaction was aborted; the command it was aborted for says why.
  for (const [position, name] of queued.entries()) {
    const reply = sent.value[position];
    if (!reply?.ok || reply.value !== "QUEUED") return failure(refusal(name, reply));
  }
  const executed = sent.value[queued.length];
  const results = executed?.ok ? executed.value : null;
  const receivers: unknown = Array.isArray(results) ? results[queued.length - 1] : null;
  if (typeof receivers !== "number") return failure(refusal("EXEC", executed));
  return success(receivers);
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
 * Shows `enough` all replies in the list, newest first, again and again, until it is content or `waitMs`
 * milliseconds have passed. LRANGE leaves the list as it is: a blocking pop would take the tombstone and with it
 * the time to live, and the replies that a simultaneous probe waits for.
 */
export async function collect(
  { channel, list, patience, clock }: Mailbox,
  enough: (answers: readonly Answer[]) => boolean,
  waitMs: number,
): Promise<Outcome<void, BrokerFailure>> {
  const start = clock.now();
  for (;;) {
    const waited = clock.now() - start;
    await clock.pause(Math.min(pollInterval(waited), Math.max(0, waitMs - waited)));
    const read = await channel.send([["LRANGE", list.key, 0, -1]], patience());
    if (!read.ok) return read;
    const [reply] = read.value;
    if (!reply?.ok) return failure(refusal("LRANGE", reply));
    if (enough(repliesIn(reply.value)) || clock.now() - start >= waitMs) return success(undefined);
  }
}

/** Milliseconds until the next look: an eighth of the time waited so far, so that waiting long costs little. */
function pollInterval(waitedMs: number): number {
  return Math.min(25, Math.max(1, waitedMs / 8));
}

function repliesIn(elements: unknown): readonly Answer[] {
  if (!Array.isArray(elements)) return [];
  return elements
    .map((element) => (typeof element === "string" ? decodeReply(element) : null))
    .filter((answer) => answer !== null);
}
