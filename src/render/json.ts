import { label } from "../cli/usage.ts";
import type { Asking, NodeEvidence, NotTaken, Via } from "../health/evidence.ts";
import type { WorkEvidence } from "../health/work-evidence.ts";
import type { CheckReport } from "../health/report.ts";
import { boundedJson } from "./bounded-json.ts";
import { channelOf } from "./broker-words.ts";
import { type Printable, withoutPasswords } from "./gate.ts";
import { nodeOf, statement } from "./statement.ts";

/** The number of nodes and pongs in the object. More would exceed what Docker keeps of a probe's output. */
const LISTED = 20;

/** The number of examined nodes in the object. They are larger. */
const EXAMINED = 4;

/** The version of the object's format. Fields may be added to a version. Changing or removing one needs a new version. */
const SCHEMA = 1;

/** The report as one JSON object on one line (docs/output.md). Durations are in milliseconds. */
export function checkJson(report: CheckReport): Printable {
  return boundedJson(checkObject(report));
}

/** The same object without a limit on its length. */
export function checkObject(report: CheckReport): object {
  const { plan, evidence, verdict, elapsedMs } = report;
  const { fact, hint } = statement(report);
  const asked = plan.asked.kind === "nodes" ? plan.asked.nodes : null;
  return {
    schema: SCHEMA,
    status: verdict.status,
    reason: verdict.reason,
    node: nodeOf(verdict) ?? (asked?.length === 1 ? asked[0] : null),
    message: fact,
    hint,
    elapsed_ms: Math.round(elapsedMs),
    evidence: {
      broker: { url: plan.broker.shown, from: label(plan.broker.origin) },
      asked: {
        nodes: asked?.slice(0, LISTED) ?? null,
        at_least: plan.asked.kind === "any" ? plan.asked.atLeast : (asked?.length ?? 0),
      },
      ...(plan.writeBroker === null
        ? {}
        : { write_broker: { url: plan.writeBroker.shown, from: label(plan.writeBroker.origin) } }),
      channel: channelOf(plan, evidence),
      reply_key: plan.naming.prefix + plan.replyTo,
      ...(verdict.reason === "undecided" ? { gap: verdict.gap.kind } : {}),
      ...askingFields(evidence.asking),
      placement: plan.place.name,
      broker_up_s: evidence.brokerUpS,
      unacked: evidence.unacked,
      ...(evidence.masterForS === null ? {} : { master_for_s: evidence.masterForS }),
      ...(evidence.otherExchange === null ? {} : { other_control_exchange: evidence.otherExchange }),
      nodes: evidence.nodes
        .filter(({ process }) => process.kind !== "unexamined")
        .slice(0, EXAMINED)
        .map(nodeFields),
      ...(evidence.stateFileProblem === null ? {} : { state_file_problem: evidence.stateFileProblem }),
      ...(evidence.notTaken === null ? {} : { shared_not_taken: notTakenFields(evidence.notTaken) }),
      ...(evidence.work === null ? {} : { work: workFields(evidence.work) }),
    },
  };
}

function askingFields(asking: Asking): object {
  switch (asking.kind) {
    case "asked":
      return {
        server: serverFields(asking.via),
        pings: asking.pings,
        subscribers: asking.subscribers,
        waited_ms: Math.round(asking.waitedMs),
        answered: asking.pongs.length,
        pongs: asking.pongs.slice(0, LISTED).map(({ node, afterMs, copies }) => ({
          node,
          after_ms: Math.round(afterMs),
          copies,
        })),
      };
    case "broker-failed": {
      const { bySentinel: _, unnamed: __, ...failure } = asking.failure;
      return {
        pings: asking.pings,
        broker_failure: { ...failure, detail: withoutPasswords(failure.detail) },
      };
    }
    case "shared":
      return {
        server: serverFields(asking.via),
        pings: 0,
        shared: asking.lives.slice(0, LISTED).map(({ node, ageS, host, version }) => ({
          node,
          age_ms: Math.round(ageS * 1_000),
          host,
          version,
        })),
      };
    case "no-time":
      return { pings: 0 };
    case "interrupted":
      return { signal: asking.signal };
    case "crashed":
      return { error: asking.detail };
    default:
      return asking satisfies never;
  }
}

function notTakenFields(why: NotTaken): object {
  return "ageS" in why
    ? { because: why.because, node: why.node, age_ms: Math.round(why.ageS * 1_000) }
    : why.because === "refused"
      ? { because: why.because, detail: withoutPasswords(why.detail) }
      : { ...why };
}

function serverFields({ server, db, tls }: Via): object {
  return { address: server, database: db, tls };
}

/** The evidence about an examined node. Null for anything that was not seen. */
function nodeFields({ node, process, looks, heartbeats }: NodeEvidence): object {
  const look = looks.at(-1);
  const connections = looks.findLast((one) => one.connections !== null)?.connections ?? null;
  const rows = connections?.kind === "known" ? connections.rows : null;
  const beats = heartbeats.kind === "listened" ? heartbeats.own : null;
  return {
    node,
    process: {
      seen: process.kind,
      ...(process.kind === "seen"
        ? { pid: process.pid, found_by: process.foundBy, pool: process.pool, grace_ms: process.graceMs }
        : {}),
      state: look?.process?.state ?? null,
      frozen: look?.process?.frozen ?? null,
      age_ms: look?.process?.ageMs ?? null,
      children: look?.process?.children ?? null,
    },
    connections: {
      seen: connections?.kind ?? null,
      count: rows?.length ?? null,
      subscribed: rows?.filter(({ subscriptions }) => subscriptions > 0).length ?? null,
      brpop:
        rows
          ?.filter(({ command }) => command === "brpop")
          .map(({ flags, idleS }) => ({ flags, idle_s: idleS })) ?? null,
      ...(connections?.kind === "unknown"
        ? { because: connections.because, established: connections.established }
        : {}),
    },
    heartbeats: {
      heard: heartbeats.kind === "listened" ? (beats?.count ?? 0) : null,
      listened_ms: heartbeats.kind === "listened" ? Math.round(heartbeats.forMs) : null,
      active: beats?.active ?? null,
      processed: beats?.processed ?? null,
      version: beats?.version ?? null,
    },
  };
}

function workFields({ lengths, nodes }: WorkEvidence): object {
  return {
    queues: [...lengths].slice(0, LISTED).map(([name, length]) => ({ name, length })),
    nodes: nodes.slice(0, EXAMINED).map(({ node, queues, consumed, tasks, held }) => ({
      node,
      queues: queues.slice(0, LISTED),
      consumes: consumed?.slice(0, LISTED) ?? null,
      tasks: tasks.kind,
      ...(tasks.kind === "told"
        ? { active: tasks.count, oldest_s: tasks.oldest === null ? null : Math.round(tasks.oldest.ageS) }
        : {}),
      ...(held?.kind === "told" ? { deliveries: held.deliveries, may_be_held: held.mayBeHeld } : {}),
    })),
  };
}
