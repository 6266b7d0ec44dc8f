import { asNumber } from "../numbers.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { HEARD_WITHIN_MS } from "../celery/heartbeat.ts";
import { mayBeHeld, rateLimits } from "../celery/deliveries.ts";
import { tasksBegun } from "../celery/tasks.ts";
import { readSettings } from "../celery/settings.ts";
import { transportOptions } from "../celery/transport-options.ts";
import { asObject } from "../pidbox/envelope.ts";
import type { Question } from "../pidbox/message.ts";
import type { Session } from "../session/session.ts";
import { pairsOf, readMessages } from "../session/unacked.ts";
import type { NodeEvidence } from "./evidence.ts";
import type { Examination } from "./examination.ts";
import type { Line } from "./examine.ts";
import { lastConnections, ownBeats } from "./main-loop.ts";
import { isFull, pausedForS } from "./judge-work.ts";
import type { Held } from "./work-evidence.ts";

/** The most deliveries that are examined. The others may also be held. */
const LOOKED = 1_000;

/** How to ask the worker and the broker. */
interface Asked {
  /**
   * Sends a question to the worker and returns its answer; undefined: no answer came. `ask` is null if the worker does
   * not answer questions.
   */
  readonly ask: ((question: Question) => Promise<unknown>) | null;
  /** Whether its heartbeats say how many tasks it has begun. */
  readonly beats: boolean;
  readonly send: Session["send"];
  /** kombu's `global_keyprefix`. */
  readonly prefix: string;
  /** Seconds since 1970. */
  readonly nowS: number;
}

/** How to look at workers and to ask them. */
interface Ways extends Pick<Asked, "send" | "prefix"> {
  readonly host: Host;
  readonly deadline: Deadline;
  readonly examination: Examination;
  readonly line: Line;
  readonly askOf: (node: string) => Asked["ask"];
}

/** The time between two looks at the results of the examination, in milliseconds. */
export const PAUSE_MS = 20;

/**
 * What nodes that do not fetch hold back. Their connections show at once whether they fetch. Only if they do not, the
 * probe needs their heartbeats and what they may hold back.
 */
export async function lookForHeld(ways: Ways): Promise<ReadonlyMap<string, Held>> {
  const { host, deadline, examination, line, askOf, send, prefix } = ways;
  await examination.begin(line);
  const end = host.now() + deadline.atMost(HEARD_WITHIN_MS);
  while (!isSeen(examination) && host.now() < end) await host.pause(PAUSE_MS);
  const held = new Map<string, Held>();
  for (const one of pausedIn(examination)) {
    const { node } = one;
    const asked = { ask: askOf(node), beats: isFull(one) !== null, send, prefix, nowS: host.epochSeconds() };
    held.set(node, await gatherHeld(asked));
  }
  const isAnyUnsure = () => pausedIn(examination).some((one) => isUnsure(one, held.get(one.node)));
  while (isAnyUnsure() && deadline.left() > PAUSE_MS) await host.pause(PAUSE_MS);
  return held;
}

/** Whether enough is seen of each node to tell whether it fetches. */
function isSeen(examination: Examination): boolean {
  return examination.nodes().every((node) => {
    const { process, looks } = node;
    // The list of connections may show which process it is.
    if (process.kind !== "seen") return process.kind !== "none" || examination.broker().upS !== null;
    const connections = lastConnections(looks);
    if (connections === null) return false;
    const isPaused =
      connections.kind === "known" &&
      connections.rows.every(({ command, flags }) => command !== "brpop" || !flags.includes("b"));
    return !isPaused || ownBeats(node) !== null;
  });
}

/** Nodes that do not fetch although they have free slots. */
function pausedIn(examination: Examination): readonly NodeEvidence[] {
  return examination.nodes().filter((node) => pausedForS(node) !== null && isFull(node) !== true);
}

/** One heartbeat says which tasks are running. Only the second one says whether a task has begun. */
function isUnsure(node: NodeEvidence, held: Held | undefined): boolean {
  return held?.kind === "told" && held.deliveries > 0 && ownBeats(node)?.count === 1;
}

/**
 * Asks what a worker that does not fetch may hold back because of its time (`eta`) or its rate limit. Such tasks are
 * delivered and not acknowledged. No question that is safe to ask returns them.
 */
export async function gatherHeld({ ask, beats, send, prefix, nowS }: Asked): Promise<Held> {
  const conf = ask === null ? {} : await ask({ method: "conf", withDefaults: false });
  const { unackedKey = null, unackedIndexKey = null } = transportOptions(conf) ?? {};
  // Celery masks these names in the answer if the application has set its own.
  if (unackedKey === null || unackedIndexKey === null) return { kind: "unknown" };
  const [hash, index] = [prefix + unackedKey, prefix + unackedIndexKey];
  const sent = await send([
    ["HLEN", hash],
    ["ZRANGE", index, 0, LOOKED - 1, "WITHSCORES"],
  ]);
  const [count, tags] = sent.ok ? sent.value : [];
  if (count?.ok !== true || tags?.ok !== true) return { kind: "unknown" };
  const deliveries = asNumber(count.value);
  if (deliveries === 0 || ask === null)
    return { kind: "told", deliveries, mayBeHeld: deliveries, begun: null };
  const limits = rateLimits(await ask({ method: "registered", taskInfo: ["rate_limit"], builtins: true }));
  const read = (await readMessages(send, hash, new Map(pairsOf(tags.value)))) ?? [];
  const free = limits === null ? [] : read.filter((one) => !mayBeHeld(one, limits, nowS));
  // The answer contains the transport options unchanged. If one of them cannot be written as JSON, the worker loses its
  // remote control.
  const begun = beats || !isPlain(conf) ? null : tasksBegun(await ask({ method: "stats" }));
  return { kind: "told", deliveries, mayBeHeld: Math.max(0, deliveries - free.length), begun };
}

/** Whether its transport options are only numbers and switches. `conf` replaces an object by a text. */
function isPlain(conf: unknown): boolean {
  const options = asObject(readSettings(conf)?.get("broker_transport_options")) ?? {};
  return Object.values(options).every(
    (value) => ["number", "boolean"].includes(typeof value) || value === null,
  );
}
