import type { BrokerFailure, Unnamed } from "../broker/failure.ts";
import { findServer } from "../broker/find-server.ts";
import type { Found, Search } from "../broker/search.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel } from "../broker/channel.ts";
import type { SessionPlan } from "./plan.ts";

export interface Lines {
  /** To the broker that workers consume from. They also receive our requests there. */
  readonly read: Found;
  /** To the broker that workers reply to. Usually it is the same connection. */
  readonly write: Found;
}

/** Connects to the broker, and to the broker for replies if that is another one. */
export async function openLines(
  plan: SessionPlan,
  host: Host,
  deadline: Deadline,
): Promise<Outcome<Lines, BrokerFailure>> {
  if (plan.failure !== null) return failure(plan.failure);
  const search: Search = {
    connect: host.connect,
    now: host.now,
    pause: host.pause,
    connectMs: plan.connectTimeout,
    leftMs: deadline.left,
    async isTheWorkers(remote) {
      const { isConnectedTo, socketTables } = await import("../worker/sockets.ts");
      const tables = socketTables(host.proc, deadline.left);
      return plan.pids.some((pid) => isConnectedTo(host.proc, pid, remote, tables));
    },
  };
  const read = await findServer(plan.broker.located, search);
  if (!read.ok)
    return plan.broker.origin.kind === "default" ? failure({ ...read.problem, unnamed: UNSEEN }) : read;
  if (plan.writeBroker === null) return success({ read: read.value, write: read.value });
  const { located, shown } = plan.writeBroker;
  const write = await findServer(located, search);
  if (!write.ok) {
    read.value.channel.close();
    return failure(at(shown, write.problem));
  }
  const lines = {
    read: read.value,
    write: { ...write.value, channel: named(write.value.channel, shown) },
  };
  // A broker refuses to publish before the login, so PING comes first.
  const greeted = await lines.read.channel.send([["PING"]], deadline.atMost(plan.connectTimeout));
  if (greeted.ok) return success(lines);
  closeLines(lines);
  return greeted;
}

/** Nothing names a broker, and no worker in sight shows one: the default was asked. */
const UNSEEN: Unnamed = { pid: null, isSeen: false, url: null, lost: [], unread: null };

export function closeLines({ read, write }: Lines): void {
  for (const channel of new Set([read.channel, write.channel])) channel.close();
}

/** Adds the broker's address to failures, because it is another broker than the URL's. */
function named(channel: Channel, where: string): Channel {
  return {
    ...channel,
    async send(commands, withinMs) {
      const sent = await channel.send(commands, withinMs);
      return sent.ok ? sent : failure(at(where, sent.problem));
    },
    async transact(...how) {
      const done = await channel.transact(...how);
      return done.ok ? done : failure(at(where, done.problem));
    },
  };
}

function at(where: string, problem: BrokerFailure): BrokerFailure {
  return problem.where === undefined ? { ...problem, where } : problem;
}

/** In seconds. After this time a failover is over and its workers are connected again. */
const RECENT_S = 60;

/** A newly named master that refuses writes has lost the role or not taken it yet: report a failover. */
export function asFailover(problem: BrokerFailure, { masterForS, shown }: Found): BrokerFailure {
  if (masterForS === null || problem.kind !== "refused") return problem;
  const isNew = masterForS < RECENT_S && (problem.cause === "cannot-write" || problem.cause === "loading");
  if (problem.cause !== "read-only" && !isNew) return problem;
  const where = `the master at ${shown}`;
  return { kind: "unreachable", cause: "failover", where, detail: problem.detail };
}
