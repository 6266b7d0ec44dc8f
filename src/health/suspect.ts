import type { ClientRow } from "../broker/client-list.ts";
import { plainAddress } from "../broker/client-list.ts";
import { examine } from "../worker/process.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { connectedPids, type Endpoint, type Sockets, socketsOf, socketTables } from "../worker/sockets.ts";
import { type Survey, workerByPid, type WorkerProcess } from "../worker/survey.ts";
import type { Suspect } from "./evidence.ts";

/**
 * The worker that its command line does not show (a script that calls `worker_main`, a title of the application's
 * own): it fetches by BRPOP and has a subscription. Others have one of them: a client that waits for a result
 * subscribes, other kinds of queues are popped.
 */
export function findByConnections(
  proc: ProcFiles,
  { workers }: Survey,
  rows: readonly ClientRow[],
): WorkerProcess | null {
  const fetching = new Set(rows.filter(({ command }) => command === "brpop").map(place));
  const subscribed = new Set(rows.filter(({ subscriptions }) => subscriptions > 0).map(place));
  const holding = (places: ReadonlySet<string>, pids: readonly number[]) =>
    connectedPids(proc, (local) => places.has(place(local)), pids);
  // Those that are known bear names of their own.
  const unknown = (proc.pids() ?? []).filter((pid) => !workers.some((worker) => worker.pid === pid));
  const holders = holding(subscribed, holding(fetching, unknown));
  return holders.flatMap((pid) => workerByPid(proc, pid, "connections") ?? [])[0] ?? null;
}

/**
 * The program here that is most likely the worker, if there is one.
 *
 * @param broker where our own connection ends; null: there is none
 */
export function suspectAmong(proc: ProcFiles, { possible }: Survey, broker: Endpoint | null): Suspect | null {
  const tables = socketTables(proc);
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
  if (sockets.kind === "unreadable") return true;
  return sockets.sockets.some(
    ({ remote, state }) =>
      broker !== null &&
      place(remote) === place(broker) &&
      (state === "established" || state === "connecting"),
  );
}

function place({ address, port }: Endpoint): string {
  return `${plainAddress(address)} ${port}`;
}
