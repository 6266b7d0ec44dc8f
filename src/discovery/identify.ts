import type { Candidate } from "../worker/candidates.ts";
import type { Sighted } from "./suspect.ts";

/** A heartbeat: its node name, and the number that its process itself sees. */
export interface Called {
  readonly node: string;
  readonly pid: number;
}

/** What is known about the nodes. */
export interface Known {
  readonly hostname: string;
  readonly heard: readonly Called[];
  /** Nodes bound to the control exchange that may be on this host; null: not known. */
  readonly bound: readonly string[] | null;
  /** Nodes whose processes are known. */
  readonly placed: readonly string[];
}

/** A process and its node. */
export interface Found {
  readonly node: string;
  readonly candidate: Candidate;
}

/** Which process is which node, by what has been seen so far. */
export interface Identified {
  readonly found: readonly Found[];
  /** Processes whose names were not asked for. */
  readonly otherwise: readonly Found[];
  /** Processes that may be workers and belong to no node. */
  readonly unknown: readonly Sighted[];
}

/**
 * Which candidates are the named nodes. Their heartbeats tell. Without heartbeats, two conditions must hold: nothing
 * contradicts the match, and as many processes are left as nodes of this host are bound. If there are several, each
 * node may be each of them. A process with another name is never taken for the node.
 */
export function identifyNamed(
  missing: readonly string[],
  sighted: readonly Sighted[],
  known: Known,
): Identified {
  const called = sighted.flatMap((one) => {
    const node = nameOf(one, missing, known);
    return node === null ? [] : [{ node, candidate: one.candidate }];
  });
  const unknown = sighted.filter(({ candidate }) => called.every((one) => one.candidate !== candidate));
  const found = called.filter(({ node }) => missing.includes(node));
  const otherwise = called.filter(({ node }) => !missing.includes(node));
  const left = missing.filter((node) => found.every((one) => one.node !== node));
  const maybe = unknown.filter(mayBeWorker);
  if (!isAccounted(left, maybe, [...missing, ...otherwise.map(({ node }) => node)], known))
    return { found, otherwise, unknown };
  const taken = left.flatMap((node) => maybe.map(({ candidate }): Found => ({ node, candidate })));
  return {
    found: [...found, ...taken],
    otherwise,
    unknown: unknown.filter((one) => !maybe.includes(one)),
  };
}

/** Whether these processes are exactly those nodes and the other nodes that are bound here. */
function isAccounted(
  nodes: readonly string[],
  processes: readonly Sighted[],
  excluded: readonly string[],
  known: Known,
): boolean {
  const [node] = nodes;
  const [one, another] = processes;
  if (node === undefined || one === undefined || known.bound === null) return false;
  const others = new Set(nodes.flatMap((name) => rivals(name, one, excluded, known)));
  if (another === undefined) return nodes.length === 1 && others.size === 0 && isLikely(one);
  // A worker without remote control is not bound. A bound worker listens to control messages and to gossip, so it has
  // two subscriptions.
  const areBound = processes.every(({ shows, ears }) => shows === "worker" && ears > 1);
  return (
    areBound &&
    nodes.length + others.size === processes.length &&
    nodes.every((name) => known.bound?.includes(name))
  );
}

/**
 * The workers among the candidates, if no node was named. Their heartbeats have their names. If a single process is
 * unknown and a single bound name of this host is left, that name is its name. Otherwise one name stands for all
 * unknown ones.
 */
export function identifyAll(nameless: string, sighted: readonly Sighted[], known: Known): Identified {
  const names = new Map(sighted.map((one) => [one, nameOf(one, [nameless], known)]));
  const workers = sighted.filter((one) => names.get(one) !== null || one.shows === "worker");
  const rest = sighted.filter((one) => !workers.includes(one));
  const [one, another] = rest.filter(mayBeWorker);
  if (workers.length === 0 && one !== undefined && another === undefined && isLikely(one)) workers.push(one);
  const [unnamed, second] = workers.filter((worker) => names.get(worker) === null);
  if (unnamed !== undefined && second === undefined) {
    const taken = [...names.values()].flatMap((name) => name ?? []);
    const [only, other] = rivals(nameless, unnamed, taken, known);
    if (only !== undefined && other === undefined) names.set(unnamed, only);
  }
  return {
    found: workers.map((worker) => ({ node: names.get(worker) ?? nameless, candidate: worker.candidate })),
    otherwise: [],
    unknown: sighted.filter((other) => !workers.includes(other)),
  };
}

/**
 * The name in the heartbeats of a process. Containers number their processes alike. So a name counts if it has this
 * host in it, or if no other name has that number. In the second case it must have been asked for, or the process must
 * be seen to publish.
 */
function nameOf(
  { candidate, publishes }: Sighted,
  asked: readonly string[],
  { hostname, heard, placed }: Known,
): string | null {
  const same = heard.filter(({ pid, node }) => pid === candidate.innerPid && !placed.includes(node));
  const names = [...new Set(same.map(({ node }) => node))];
  const [local, second] = names.filter((node) => hostOf(node) === hostname);
  if (local !== undefined && second === undefined) return local;
  const [only, another] = names;
  if (only === undefined || another !== undefined) return null;
  return publishes === true || (publishes === null && asked.includes(only)) ? only : null;
}

function mayBeWorker({ shows }: Sighted): boolean {
  return shows === "worker" || shows === "hidden" || shows === "fetcher";
}

/** Whether it is taken for a worker if nothing contradicts it. */
function isLikely({ shows, candidate }: Sighted): boolean {
  return shows === "worker" || (shows === "hidden" && candidate.saysWorker);
}

/**
 * Nodes that the process may be instead. They are of this host, or of the host in the node's name, and were not heard
 * elsewhere.
 */
function rivals(
  node: string,
  { candidate, publishes }: Sighted,
  excluded: readonly string[],
  { hostname, heard, bound, placed }: Known,
): readonly string[] {
  const isElsewhere = (name: string) =>
    heard.some((one) => one.node === name && (one.pid !== candidate.innerPid || publishes === false));
  return (bound ?? []).filter(
    (name) =>
      !excluded.includes(name) &&
      !placed.includes(name) &&
      [hostname, hostOf(node)].includes(hostOf(name)) &&
      !isElsewhere(name),
  );
}

/** The part of a node's name after the `@`. */
export function hostOf(node: string): string {
  return node.slice(node.indexOf("@") + 1);
}
