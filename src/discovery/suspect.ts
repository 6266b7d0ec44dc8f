import type { ClientRow } from "../broker/client-list.ts";
import { plainAddress } from "../broker/client-list.ts";
import { examine } from "../worker/process.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import {
  connectedPids,
  type Endpoint,
  type Sockets,
  socketsOf,
  type SocketTables,
} from "../worker/sockets.ts";
import { type Possible, workerByPid, type WorkerProcess } from "../worker/survey.ts";

/** A Python program that may be the worker by another name. */
export interface Suspect {
  readonly pid: number;
  readonly words: string;
  readonly ageMs: number;
  /** Its sockets may not be read, or one of them goes to the broker: nothing shows whose it is. */
  readonly mayBeConnected: boolean;
}

/**
 * The worker that its command line does not show (a script that calls `worker_main`, a title of the application's
 * own, one that went into the background): it fetches by BRPOP and has a subscription. Others have one of them: a
 * client that waits for a result subscribes, other kinds of queues are popped.
 *
 * @param isMeant which processes it may be
 * @param tables those of this look
 */
export function findByConnections(
  proc: ProcFiles,
  rows: readonly ClientRow[],
  isMeant: (pid: number) => boolean,
  tables: SocketTables,
): WorkerProcess | null {
  const fetching = rows.filter(({ command }) => command === "brpop");
  const subscribed = rows.filter(({ subscriptions }) => subscriptions > 0);
  const holders = (among: readonly ClientRow[], pids: readonly number[]) => {
    const places = new Set(among.map(place));
    return connectedPids(proc, (local) => places.has(place(local)), pids, tables);
  };
  const found = holders(subscribed, holders(fetching, (proc.pids() ?? []).filter(isMeant)));
  const [only, another] = found
    .flatMap((pid) => workerByPid(proc, pid, "connections") ?? [])
    .filter((worker) => hasMadeOne(proc, worker, fetching, tables));
  // Nothing shows which of several bears the name.
  return another === undefined ? (only ?? null) : null;
}

/** The server takes the difference of two whole seconds for an age, in milliseconds. */
const ROUNDED_MS = 1_000;

/** A fork inherits connections, and keeps them open when the worker that made them is dead: they are older than it. */
function hasMadeOne(
  proc: ProcFiles,
  { pid, startTicks }: WorkerProcess,
  fetching: readonly ClientRow[],
  tables: SocketTables,
): boolean {
  const ageMs = examine(proc, pid, startTicks)?.ageMs ?? 0;
  const young = fetching.filter(({ ageS }) => ageS === null || ageS * 1_000 < ageMs + ROUNDED_MS);
  const places = new Set(young.map(place));
  return connectedPids(proc, (local) => places.has(place(local)), [pid], tables).length > 0;
}

/**
 * The program here that is most likely the worker, if there is one.
 *
 * @param broker where our own connection ends; null: there is none
 */
export function suspectAmong(
  proc: ProcFiles,
  possible: readonly Possible[],
  broker: Endpoint | null,
  tables: SocketTables,
): Suspect | null {
  const suspects = possible.flatMap(({ pid, words }): readonly Suspect[] => {
    const worker = workerByPid(proc, pid, "connections");
    const look = worker === null ? null : examine(proc, pid, worker.startTicks);
    if (look === null) return [];
    return [
      { pid, words, ageMs: look.ageMs, mayBeConnected: mayBeConnected(socketsOf(proc, pid, tables), broker) },
    ];
  });
  return (
    suspects.find((one) => one.mayBeConnected) ?? suspects.toSorted((a, b) => a.ageMs - b.ageMs)[0] ?? null
  );
}

function mayBeConnected(sockets: Sockets, broker: Endpoint | null): boolean {
  if (sockets.kind === "unreadable" || sockets.kind === "too-many") return true;
  return sockets.sockets.some(
    ({ remote, state }) => broker !== null && place(remote) === place(broker) && state !== "other",
  );
}

function place({ address, port }: Endpoint): string {
  return `${plainAddress(address)} ${port}`;
}
