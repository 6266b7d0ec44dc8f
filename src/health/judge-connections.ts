import type { Whence } from "../broker/keys.ts";
import { type Connections, databases, pausedFor, polling } from "../worker/connections.ts";
import type { Evidence, NodeEvidence, ProcessSight } from "./evidence.ts";
import {
  type AskedBroker,
  deaf,
  type Judgement,
  open,
  type Rules,
  silent,
  spanMs,
  undecided,
} from "./judgement.ts";
import { judgeElsewhere } from "./judge-elsewhere.ts";
import { isFreeOfTasks, isStopping, judgeSilence, lengthOf, unmeasured } from "./judge-silence.ts";
import { ageMsIn, hasListened, lastConnections, mainLoop, ownBeats, sightings } from "./main-loop.ts";
import type { Verdict } from "./verdict.ts";

/** If two looks this far apart show the same, a connection is not just being made. In milliseconds. */
const SETTLED_MS = 1_000;

/** If a worker's loop turns and it has not fetched for this long, it has stopped fetching. In milliseconds. */
const PAUSED_MS = 2_000;

/** kombu waits up to 30 s between two attempts to connect. In twice that time it has made at least one. In seconds. */
export const RECONNECT_S = 60;

type Seen = Extract<ProcessSight, { kind: "seen" }>;
type AskedEvidence = Evidence & { readonly asking: AskedBroker };
type Of<K extends Connections["kind"]> = Extract<Connections, { kind: K }>;

/** The part of the decision table for a process that runs and does not answer: what its connections show. */
export function judgeConnections(
  node: NodeEvidence,
  process: Seen,
  evidence: Evidence,
  rules: Rules,
): Judgement {
  const connections = lastConnections(node.looks);
  const { asking } = evidence;
  if (connections === null || asking.kind !== "asked") return open("second-look");
  switch (connections.kind) {
    case "none":
      return judgeNone(node, process, connections, evidence, rules);
    case "known":
      return judgeKnown(node, process, connections, { ...evidence, asking }, rules);
    case "unknown":
      return judgeUnknown(node, process, connections, { ...evidence, asking }, rules);
    default:
      return connections satisfies never;
  }
}

function judgeNone(
  node: NodeEvidence,
  process: Seen,
  connections: Of<"none">,
  evidence: Evidence,
  rules: Rules,
): Judgement {
  const { brokerUpS, masterForS } = evidence;
  const about = { node: node.node, pid: process.pid };
  const starting = stillStarting(node, process, rules);
  if (starting !== null) return starting;
  if (spanMs(node.looks.filter((look) => look.connections?.kind === "none")) < SETTLED_MS)
    return open("second-look");
  const ageMs = node.looks.at(-1)?.process?.ageMs ?? 0;
  // It has not read that its connection was closed. This may have happened a moment ago: a socket does not tell when.
  if (connections.closeWait) return silent(about, unmeasured(node, process));
  const isYoung = brokerUpS === null || brokerUpS < RECONNECT_S;
  // It is also connected to the Sentinels and to the former master.
  if (connections.elsewhere.length > 0 && !(isYoung && masterForS !== null)) {
    return judgeElsewhere(about, node, connections, evidence);
  }
  if (connections.connecting || isYoung) return undecided({ kind: "reconnecting", ...about, brokerUpS });
  const handlesSignals = node.looks.at(-1)?.process?.handlesSignals ?? true;
  if (ageMs < RECONNECT_S * 1_000 || !handlesSignals)
    return undecided({ kind: "importing", ...about, ageMs });
  return { status: "unhealthy", reason: "disconnected", ...about, ageMs, brokerUpS, moved: null };
}

function judgeKnown(
  node: NodeEvidence,
  process: Seen,
  { rows, closeWait, elsewhere }: Of<"known">,
  evidence: AskedEvidence,
  rules: Rules,
): Judgement {
  const { asking, unacked, brokerUpS, masterForS, brokerName } = evidence;
  const about = { node: node.node, pid: process.pid };
  // After a failover a worker comes back connection by connection.
  const isReturning = masterForS !== null && masterForS < RECONNECT_S;
  const reconnecting = undecided({ kind: "reconnecting", ...about, brokerUpS });
  const { over } = asking;
  const used = databases(rows);
  const { db } = asking.via;
  if (used.length > 0 && !used.includes(db)) {
    return undecided({ kind: "other-database", ...about, asked: db, seen: used });
  }
  const beats = ownBeats(node);
  if (used.length === 0 && beats === null && !closeWait) {
    // None of its connections fetches or listens here. They may belong to a result backend.
    if (!hasListened(node)) return open("heartbeat");
    return isReturning
      ? reconnecting
      : undecided({ kind: "elsewhere", ...about, endpoints: elsewhere, brokerName });
  }
  const own = rows.filter((row) => row.patterns > 0).length;
  const isSubscribed = own > (process.gossips ? 1 : 0);
  const subscribers = isSubscribed ? asking.subscribers : 0;
  const loop = mainLoop(node);
  if (loop.kind === "unclear") return open(loop.wanted);
  if (loop.kind === "silent") {
    // A worker listens for control messages and to gossip, on one connection each. Otherwise the subscribers may be
    // other programs.
    const unrecognised = asking.subscribers === 0 || own < 2 ? unrecognisedBy(node, process) : null;
    if (unrecognised !== null) return unrecognised;
    return judgeSilence(node, process, loop.length, { over, unacked, isSubscribed, subscribers });
  }
  if (!over) return open("pong");
  if (isReturning && subscribers === 0) return reconnecting;
  const misled = beats === null ? null : otherNames(about, beats.whence, rules);
  if (misled !== null) return misled;
  return loop.shownBy === "polling"
    ? judgePolling(node, process, subscribers)
    : judgeTurning(node, process, rows, unacked, subscribers);
}

/** It fetches and has not answered. */
function judgePolling(node: NodeEvidence, process: Seen, subscribers: number): Judgement {
  const about = { node: node.node, pid: process.pid };
  const { heartbeats } = node;
  const beats = ownBeats(node);
  // Its heartbeat may show that it has another prefix or name than the one we asked.
  if (beats === null && !hasListened(node)) return open("heartbeat");
  const namesake = heartbeats.kind === "listened" ? heartbeats.namesake : null;
  if (beats === null && namesake !== null) {
    return undecided({ kind: "misnamed", ...about, names: [namesake] });
  }
  const active = beats?.active ?? null;
  return unrecognisedBy(node, process) ?? deaf(about, { shownBy: "polling", subscribers, active });
}

/** Its heartbeats show that its loop turns. It has not answered and has not been seen to fetch. */
function judgeTurning(
  node: NodeEvidence,
  process: Seen,
  rows: Of<"known">["rows"],
  unacked: Evidence["unacked"],
  subscribers: number,
): Judgement {
  const about = { node: node.node, pid: process.pid };
  const { looks } = node;
  const active = ownBeats(node)?.active ?? null;
  // A worker without remote control still hears the gossip of others. Only a loop that reads nothing has no
  // subscription.
  const seen = sightings(looks);
  const hearsNobody =
    process.gossips && seen.every((look) => look.rows.every(({ patterns }) => patterns === 0));
  // It no longer notices when its children finish tasks. It counts tasks in its own process correctly.
  const mayCountForEver = hearsNobody && isFreeOfTasks(process, looks);
  if (active !== 0 && !mayCountForEver) {
    return process.gossips && isStopping(process, looks)
      ? silent(about, lengthOf(pausedFor(rows, ageMsIn(looks)), node, process), true)
      : deaf(about, { shownBy: "heartbeat", subscribers, active });
  }
  if (spanMs(seen) < PAUSED_MS) return open("second-look");
  // Tasks that wait for their time or their rate limit do not run. They are not acknowledged, and they fill the
  // prefetch window.
  if (polling(rows) === "paused" && unacked !== 0 && !hearsNobody) {
    return undecided({ kind: "deaf-or-catatonic", ...about, because: "held" });
  }
  const paused = pausedFor(rows, ageMsIn(looks));
  // If the server's clock was set, we do not know how long the pause is.
  const pausedS = paused !== null && paused.atLeastS === paused.atMostS ? paused.atMostS : null;
  return { status: "unhealthy", reason: "catatonic", ...about, active, pausedS, waiting: null };
}

/** Other programs also use BRPOP and subscriptions. Only a heartbeat or a control subscription proves a worker. */
function unrecognisedBy(node: NodeEvidence, { foundBy, pid, words }: Seen): Verdict | null {
  return foundBy === "connections" && ownBeats(node) === null
    ? undecided({ kind: "unrecognised", node: node.node, pid, words })
    : null;
}

function judgeUnknown(
  node: NodeEvidence,
  process: Seen,
  { because, established, elsewhere }: Of<"unknown">,
  { asking: { subscribers, over }, brokerName }: AskedEvidence,
  rules: Rules,
): Judgement {
  const about = { node: node.node, pid: process.pid };
  const beats = ownBeats(node);
  if (beats !== null) {
    if (!over) return open("pong");
    const { whence, active } = beats;
    const misled = otherNames(about, whence, rules);
    if (misled !== null) return misled;
    return subscribers > 0
      ? deaf(about, { shownBy: "heartbeat", subscribers, active })
      : undecided({ kind: "deaf-or-catatonic", ...about, because });
  }
  const starting = stillStarting(node, process, rules);
  if (starting !== null && established !== true) return starting;
  if (!hasListened(node)) return open("heartbeat");
  if (!over) return open("pong");
  if (established === true) return silent(about, unmeasured(node, process));
  return elsewhere.length > 0
    ? undecided({ kind: "elsewhere", ...about, endpoints: elsewhere, brokerName })
    : undecided({ kind: "unseen", ...about, because, established });
}

/** If a worker's heartbeats come on a channel of another form, it also listens on another control channel. */
function otherNames(
  about: { readonly node: string; readonly pid: number },
  whence: Whence,
  { naming }: Rules,
): Verdict | null {
  switch (whence.kind) {
    case "expected":
    case "other-database":
      return null;
    case "other-prefix":
      return undecided({ kind: "other-prefix", ...about, asked: naming.prefix, seen: whence.prefix });
    case "other-fanout-prefix":
      return undecided({
        kind: "other-fanout-prefix",
        ...about,
        asked: naming.fanoutPrefix,
        seen: whence.fanoutPrefix,
      });
    default:
      return whence satisfies never;
  }
}

/** `starting` if the process is so young that it may have no connection yet; null: it is older. */
export function stillStarting(
  { node, looks }: NodeEvidence,
  { pid }: Seen,
  { startGraceMs }: Rules,
): Verdict | null {
  const ageMs = ageMsIn(looks);
  return ageMs < startGraceMs
    ? { status: "healthy", reason: "starting", node, pid, ageMs, graceMs: startGraceMs }
    : null;
}
