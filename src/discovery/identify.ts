import type { Candidate } from "../worker/candidates.ts";
import type { Sighted } from "./suspect.ts";

/** A heartbeat: under which name, and from which process, in its own numbers. */
export interface Called {
  readonly node: string;
  readonly pid: number;
}

/** What is known about the nodes. */
export interface Known {
  readonly hostname: string;
  readonly heard: readonly Called[];
  /** Nodes bound to the control exchange that may be of this host; null: not known. */
  readonly bound: readonly string[] | null;
  /** Nodes whose processes are known. */
  readonly placed: readonly string[];
}

/** A process that is a node's. */
export interface Found {
  readonly node: string;
  readonly candidate: Candidate;
}

/** Which process is which node, by what was seen so far. */
export interface Identified {
  readonly found: readonly Found[];
  /** Processes that have names for which nobody has asked. */
  readonly otherwise: readonly Found[];
  /** Who may be a worker, and is nobody's. */
  readonly unknown: readonly Sighted[];
}

/**
 * Which candidates are the named nodes. Their heartbeats tell. Or nothing contradicts it, and as many processes are
 * left as nodes of this host are bound. If there are several, each node may be each of them. A process with another
 * name is never taken for the node.
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

/** Whether these processes are those nodes, and others that are bound here. */
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
  // A worker without remote control is bound nowhere: these listen to control messages and to gossip.
  const areBound = processes.every(({ shows, ears }) => shows === "worker" && ears > 1);
  return (
    areBound &&
    nodes.length + others.size === processes.length &&
    nodes.every((name) => known.bound?.includes(name))
  );
}

/**
 * The workers among the candidates, if no node was named. Their heartbeats have their names. A single one may have
 * the only bound name of this host that no other process has. Otherwise one name stands for all unknown ones.
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
 * host in it, or if no other name has that number. In the second case it was asked for, or the process is seen to
 * publish.
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

/** Whether it is taken for a worker where nothing speaks against it. */
function isLikely({ shows, candidate }: Sighted): boolean {
  return shows === "worker" || (shows === "hidden" && candidate.saysWorker);
}

/** Nodes that the process may be instead: of this host, or of the host that the node names, and not heard elsewhere. */
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

/** The host part of a node's name. */
export function hostOf(node: string): string {
  return node.slice(node.indexOf("@") + 1);
}
