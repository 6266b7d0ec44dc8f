import { DATABASE } from "../broker/keys.ts";
import type { Sighted } from "../discovery/suspect.ts";
import { CERTAIN_MS, haltOf } from "../worker/halt.ts";
import type { Asking, Evidence, Look, NodeEvidence, ProcessSight } from "./evidence.ts";
import { judgeConnections, RECONNECT_S, stillStarting } from "./judge-connections.ts";
import { deaf, type Judgement, open, type Rules, spanMs, undecided } from "./judgement.ts";
import { hasListened, ownBeats } from "./main-loop.ts";
import type { Verdict } from "./verdict.ts";

/**
 * A worker that is here would have answered by then. Without a process in sight, we do not wait longer. In
 * milliseconds.
 */
const NOBODY_MS = 1_000;

/** The decision table for one node that was asked. It is pure. */
export function judgeNode(node: NodeEvidence, evidence: Evidence, rules: Rules): Judgement {
  const { process } = node;
  switch (process.kind) {
    case "unexamined":
      return judgePong(node, evidence.asking) ?? judgeBroker(evidence.asking) ?? open("pong");
    case "out-of-sight":
      return judgePong(node, evidence.asking) ?? judgeFromAfar(node, process.because, evidence.asking, rules);
    case "none":
      return judgePong(node, evidence.asking) ?? judgeAbsent(node, process, evidence);
    case "seen":
      return judgeSeen(node, process, evidence, rules);
    default:
      return process satisfies never;
  }
}

function judgePong({ node, laterNode }: NodeEvidence, asking: Asking): Verdict | null {
  if (asking.kind === "shared") {
    const shared = asking.lives.filter((life) => life.node === node || life.node === laterNode);
    return shared.length === 0 ? null : { status: "healthy", reason: "alive", pongs: [], shared };
  }
  if (asking.kind !== "asked") return null;
  const pong = asking.pongs.find((candidate) => candidate.node === node || candidate.node === laterNode);
  return pong === undefined ? null : { status: "healthy", reason: "alive", pongs: [pong] };
}

/** The verdict if the broker could not be asked; null: it could be asked. */
export function judgeBroker(asking: Asking): Verdict | null {
  switch (asking.kind) {
    case "asked":
    case "shared":
      return null;
    case "broker-failed":
      return asking.failure.kind === "unreachable"
        ? { status: "unknown", reason: "broker-unreachable", failure: asking.failure }
        : { status: "unknown", reason: "broker-refused", failure: asking.failure };
    case "no-time":
    case "interrupted":
    case "crashed":
      return undecided(asking);
    default:
      return asking satisfies never;
  }
}

/** Only the broker is in sight. A worker that does not answer may be busy or dead. */
function judgeFromAfar(
  seen: NodeEvidence,
  because: "remote" | "beside" | "no-proc",
  asking: Asking,
  { naming }: Rules,
): Judgement {
  if (asking.kind !== "asked") return judgeBroker(asking) ?? open("pong");
  const ofAllDatabases = !naming.fanoutPrefix.includes(DATABASE) || asking.via.channel.includes(DATABASE);
  if (!asking.over) return open("pong");
  const { subscribers } = asking;
  const { node, heartbeats } = seen;
  const beats = ownBeats(seen);
  const heard = beats !== null;
  // Without subscribers, or if a worker should be in sight, a heartbeat decides nothing.
  if (subscribers > 0 && because !== "beside") {
    // If the channel does not carry the database, the heartbeat may come from a worker of the same name in another
    // database.
    if (heard && !ofAllDatabases)
      return deaf({ node, pid: null }, { shownBy: "heartbeat", subscribers, active: beats.active });
    if (!heard && heartbeats.kind !== "refused" && !hasListened(seen)) return open("heartbeat");
  }
  const listened = heartbeats.kind === "listened" && hasListened(seen);
  return undecided({ kind: "out-of-sight", node, pid: null, because, subscribers, heard, listened });
}

function judgeAbsent(
  seen: NodeEvidence,
  process: Extract<ProcessSight, { kind: "none" }>,
  { asking, brokerUpS }: Evidence,
): Judgement {
  const { node, looks } = seen;
  const { suspect, others, zombie, instead } = process;
  // A worker that we do not recognise may still answer.
  if (asking.kind === "asked" && asking.subscribers > 0 && asking.waitedMs < NOBODY_MS) return open("pong");
  if (spanMs(looks) < CERTAIN_MS) return open("second-look");
  const brokerSays = judgeBroker(asking);
  const doubt = suspect === null ? null : doubtOf(suspect, brokerUpS);
  // Its heartbeats would show its name.
  if (brokerSays === null && (doubt === "may-be" || doubt === "listens") && !hasListened(seen))
    return open("heartbeat");
  if (others.length > 0 && !process.namesInUse && doubt !== "may-be") {
    return brokerSays ?? undecided({ kind: "misnamed", node, pid: null, names: others });
  }
  if (suspect !== null) {
    if (brokerSays !== null) return brokerSays;
    const { pid, words } = suspect.candidate;
    if (doubt === "may-be" || doubt === "may-connect")
      return undecided({ kind: "unrecognised", node, pid, words });
  }
  return zombie === null
    ? { status: "unhealthy", reason: "dead", node, pid: null, how: "none", instead }
    : { status: "unhealthy", reason: "dead", node, pid: zombie, how: "remains", instead };
}

type Doubt = "may-be" | "listens" | "may-connect" | null;

/** Why a program that we do not recognise may be the worker; null: it is not the worker. */
function doubtOf({ shows, serves, ageMs }: Sighted, brokerUpS: number | null): Doubt {
  switch (shows) {
    case "worker":
    case "heir":
    case "fetcher":
    case "hidden":
      return "may-be";
    case "listener":
      return "listens";
    // A worker that still imports may be connected for another purpose.
    case "client":
      return ageMs < RECONNECT_S * 1_000 && !serves ? "may-connect" : null;
    case "stranger":
      return brokerUpS === null || brokerUpS < RECONNECT_S || ageMs < RECONNECT_S * 1_000
        ? "may-connect"
        : null;
    default:
      return shows satisfies never;
  }
}

function judgeSeen(
  node: NodeEvidence,
  process: Extract<ProcessSight, { kind: "seen" }>,
  evidence: Evidence,
  rules: Rules,
): Judgement {
  const about = { node: node.node, pid: process.pid };
  const { looks } = node;
  // What the process itself shows outranks a pong: another worker of the same name may have sent it.
  const halt = haltIn(looks);
  if (halt === "once") return open("second-look");
  if (halt !== null) return { status: "unhealthy", reason: "stopped", ...about, how: halt };
  const pong = judgePong(node, evidence.asking);
  if (pong !== null) return pong;
  const last = looks.at(-1);
  if (last === undefined || spanMs(looks) < CERTAIN_MS) {
    const { asking } = evidence;
    return asking.kind === "interrupted" ? undecided(asking) : open("second-look");
  }
  if (last.process === null)
    return { status: "unhealthy", reason: "dead", ...about, how: "ended", instead: null };
  if (last.process.state === "zombie")
    return { status: "unhealthy", reason: "dead", ...about, how: "zombie", instead: null };
  // If no setting names the broker, only the process' connections would show it.
  const isUnnamed = evidence.asking.kind === "broker-failed" && evidence.asking.failure.cause === "not-named";
  const starting = isUnnamed ? stillStarting(node, process, rules) : null;
  return starting ?? judgeBroker(evidence.asking) ?? judgeConnections(node, process, evidence, rules);
}

/** Whether the process has been seen halted, and how; `once`: a second look must confirm it. */
function haltIn(looks: readonly Look[]): "stopped" | "frozen" | "once" | null {
  const how = ({ process }: Look) => haltOf(process);
  const last = looks.at(-1);
  const now = last === undefined ? null : how(last);
  if (now === null) return null;
  const since = looks.findLastIndex((look) => how(look) === null) + 1;
  return spanMs(looks.slice(since)) >= CERTAIN_MS ? now : "once";
}
