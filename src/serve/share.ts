import type { Command, Reply } from "../broker/channel.ts";
import { type BrokerFailure, refusedBy } from "../broker/failure.ts";
import { sharedKey } from "../broker/keys.ts";
import type { Collector } from "../fleet/collector.ts";
import type { FleetNode, FleetView } from "../fleet/fleet-view.ts";
import { brokerTimeMs, encodeShared } from "../health/shared-verdict.ts";
import type { Host } from "../host.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Session } from "../session/session.ts";

/** What sharing needs, and its state. */
interface Sharing {
  readonly source: Pick<Collector, "view" | "session">;
  readonly host: Host;
  readonly everyMs: number;
  /**
   * What was written for each node, by status and reason; null: the content of the hash is unknown, so everything must
   * be written.
   */
  written: ReadonlyMap<string, string> | null;
  /** When everything is written again. */
  dueMs: number;
  isWriting: boolean;
}

/** The hash lives for this many intervals after its last write, and at least for a fixed number of seconds. */
const KEPT_INTERVALS = 4;
const KEPT_S = 60;

/** Nodes in one command. */
const AT_ONCE = 500;

/**
 * Shares what is known about workers with checks that accept it. It writes everything once per interval, and the
 * changes after each look.
 *
 * @param told called with null after a success, and with the problem after a refusal. Not called while the broker is
 * away
 */
export function startSharing(
  source: Pick<Collector, "view" | "session" | "onView">,
  host: Host,
  everyMs: number,
  told: (problem: BrokerFailure | null) => void,
): void {
  const sharing: Sharing = { source, host, everyMs, written: null, dueMs: -Infinity, isWriting: false };
  source.onView(() => {
    if (!sharing.isWriting) void share(sharing, told);
  });
}

async function share(sharing: Sharing, told: (problem: BrokerFailure | null) => void): Promise<void> {
  const { source, host, everyMs } = sharing;
  const session = source.session();
  const view = source.view();
  // Before the first round is done, we do not know enough to replace what another `serve` may have shared.
  if (session === null || view.broker.trouble !== null || view.rounds.done === 0) return;
  const startMs = host.now();
  const isWhole = startMs >= sharing.dueMs;
  const before = isWhole ? null : sharing.written;
  // A refused write is tried again only when everything is due.
  if (!isWhole && before === null) return;
  const nodes = shareable(view);
  const after = new Map(nodes.map((node) => [node.node, wordsOf(node)]));
  if (before !== null && areSame(before, after)) return;
  sharing.isWriting = true;
  const change = { nodes, view, before, after, startMs };
  const done = await write(session, change, sharing);
  sharing.isWriting = false;
  sharing.written = done.ok ? after : null;
  if (isWhole) sharing.dueMs = startMs + everyMs;
  if (done.ok || done.problem.kind === "refused") told(done.ok ? null : done.problem);
  else sharing.dueMs = -Infinity;
}

/** Other programs cannot use an unknown status. If two workers share a name, nobody can tell which one is meant. */
function shareable({ nodes }: FleetView): readonly FleetNode[] {
  return nodes.filter(({ verdict, copies }) => verdict.status !== "unknown" && copies === 1);
}

function wordsOf({ verdict: { status, reason } }: FleetNode): string {
  return `${status} ${reason}`;
}

function areSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, words]) => other.get(name) === words);
}

interface Change {
  readonly nodes: readonly FleetNode[];
  readonly view: FleetView;
  /** null: everything is written. */
  readonly before: ReadonlyMap<string, string> | null;
  readonly after: ReadonlyMap<string, string>;
  readonly startMs: number;
}

/** Uses one transaction, so that the key always has a time to live. First asks the broker for its time. */
function write(
  session: Session,
  change: Change,
  { host, everyMs }: Sharing,
): Promise<Outcome<readonly unknown[], BrokerFailure>> {
  const key = sharedKey(session.read.target.db, session.plan.naming);
  const keptS = Math.max(KEPT_S, Math.ceil((KEPT_INTERVALS * everyMs) / 1_000));
  return session.transact([["TIME"]], ([time]) => {
    const nowMs = timeOf(time);
    if (!nowMs.ok) return nowMs;
    const viewMs = nowMs.value - (host.now() - change.startMs);
    return success([...commandsOf(key, change, viewMs, host), ["EXPIRE", key, keptS]]);
  });
}

function timeOf(reply: Reply | undefined): Outcome<number, BrokerFailure> {
  if (reply?.ok === false) return failure(refusedBy("TIME", reply.error));
  const ms = brokerTimeMs(reply?.value);
  if (ms !== null) return success(ms);
  const detail = "TIME was not answered with a time";
  return failure({ kind: "refused", cause: "not-redis", command: "TIME", detail });
}

/** @param viewMs when the view was made, by the broker's clock */
function commandsOf(key: string, change: Change, viewMs: number, host: Host): readonly Command[] {
  const { nodes, view, before, after } = change;
  const changed = nodes.filter((node) => before?.get(node.node) !== after.get(node.node));
  const gone = [...(before?.keys() ?? [])].filter((name) => !after.has(name));
  const commands: Command[] = before === null ? [["DEL", key]] : [];
  for (let at = 0; at < changed.length; at += AT_ONCE) {
    const fields = changed
      .slice(at, at + AT_ONCE)
      .flatMap((node) => [node.node, fieldOf(node, view, viewMs, host)]);
    commands.push(["HSET", key, ...fields]);
  }
  for (let at = 0; at < gone.length; at += AT_ONCE)
    commands.push(["HDEL", key, ...gone.slice(at, at + AT_ONCE)]);
  return commands;
}

function fieldOf(
  { verdict, lastEvidenceS }: FleetNode,
  { atS }: FleetView,
  viewMs: number,
  { hostname, version }: Host,
): string {
  const { status, reason } = verdict;
  // `alive` is as old as the last sign of life. Every other verdict is from the moment of the look.
  const agedMs = reason === "alive" ? Math.max(0, atS - lastEvidenceS) * 1_000 : 0;
  return encodeShared({
    status: status === "healthy" ? "healthy" : "unhealthy",
    reason,
    atMs: viewMs - agedMs,
    host: hostname,
    version,
  });
}
