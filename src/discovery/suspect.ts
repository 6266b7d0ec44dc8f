import { type ClientRow, plainAddress } from "../broker/client-list.ts";
import type { Ends } from "../broker/channel.ts";
import { ageMs } from "../worker/age.ts";
import type { Candidate } from "../worker/candidates.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { type Endpoint, socketsOf, type SocketTables, type TcpSocket } from "../worker/sockets.ts";

/**
 * What a process' connections show about it.
 *
 * - `worker`: it fetches by BRPOP and is subscribed like kombu, on connections that it has made itself.
 * - `heir`: the same, but it was forked after these connections were made.
 * - `fetcher`, `listener`: it does only one of the two.
 * - `hidden`: it is or may be connected, and its connections are unknown.
 * - `client`: it is connected for another purpose.
 * - `stranger`: it is not connected.
 */
export type Shows = "worker" | "heir" | "fetcher" | "listener" | "hidden" | "client" | "stranger";

/** A candidate and what one look shows of it. */
export interface Sighted {
  readonly candidate: Candidate;
  readonly shows: Shows;
  /** How many connections are subscribed like kombu's. A worker has one for control messages and one for gossip. */
  readonly ears: number;
  /** Whether it published a moment ago, as a worker with heartbeats does; null: not known. */
  readonly publishes: boolean | null;
  /** It listens for connections, as a server does. */
  readonly serves: boolean;
  readonly ageMs: number;
}

/** The broker's list of connections, and which of them are ours. `rows` is null if the broker does not show it. */
export interface Clients {
  readonly rows: readonly ClientRow[] | null;
  readonly ourselves: Ends | null;
  readonly alsoOurs: readonly Endpoint[];
  /** The broker has a host name, and this may lead to another address for other processes. */
  readonly hasName: boolean;
}

/** The server's ages are differences of two whole seconds. This is their largest error, in milliseconds. */
const ROUNDED_MS = 1_000;

/** Heartbeats come every two seconds, and an idle time is rounded. */
const PUBLISHES_S = 3;

/** What the connections of each candidate show. */
export function sight(
  proc: ProcFiles,
  candidates: readonly Candidate[],
  clients: Clients,
  tables: SocketTables,
): readonly Sighted[] {
  return candidates.map((candidate) => {
    const { pid, startTicks } = candidate;
    const ours = [clients.ourselves?.local, ...clients.alsoOurs].flatMap((end) => end ?? []).map(place);
    const read = socketsOf(proc, pid, tables);
    const sockets =
      read.kind === "own" || read.kind === "shared"
        ? read.sockets.filter(({ local }) => !ours.includes(place(local)))
        : null;
    const age = ageMs(proc, startTicks);
    const rows = rowsOf(sockets ?? [], clients);
    return {
      candidate,
      ears: rows?.filter(({ patterns }) => patterns > 0).length ?? 0,
      shows: shown(sockets, rows, clients, age, read.kind === "own"),
      publishes:
        rows === null || read.kind !== "own"
          ? null
          : rows.some(({ command, idleS }) => command === "publish" && (idleS ?? 0) <= PUBLISHES_S),
      serves: sockets?.some(({ state, remote }) => state === "other" && remote.port === 0) ?? false,
      ageMs: age,
    };
  });
}

/** The rows of these sockets; null: the list does not show whose connections they are. */
function rowsOf(sockets: readonly TcpSocket[], { rows, ourselves }: Clients): readonly ClientRow[] | null {
  if (rows === null || ourselves === null) return null;
  const listed = new Set(rows.map(place));
  // Behind an address translation, our own connection has another end in the list.
  if (!listed.has(place(ourselves.local))) return null;
  const own = new Set(
    sockets.filter(({ state }) => state === "established").map(({ local }) => place(local)),
  );
  return rows.filter((row) => own.has(place(row)));
}

function shown(
  sockets: readonly TcpSocket[] | null,
  rows: readonly ClientRow[] | null,
  clients: Clients,
  age: number,
  areOwn: boolean,
): Shows {
  if (sockets === null) return "hidden";
  const { rows: all, ourselves } = clients;
  const broker = ourselves === null ? null : place(ourselves.remote);
  const toBroker = sockets.filter(({ remote, state }) => state !== "other" && place(remote) === broker);
  if (rows === null) return toBroker.length > 0 ? "hidden" : "stranger";
  const fetching = rows.filter(({ command }) => command === "brpop");
  const isSubscribed = rows.some(({ patterns }) => patterns > 0);
  // The list does not contain connections that the broker has closed or does not list yet.
  const isUnclear =
    toBroker.length > 0 && (rows.length === 0 || toBroker.some(({ state }) => state !== "established"));
  if (fetching.length > 0 && !areOwn) return "hidden";
  if (fetching.length > 0 && isSubscribed) return madeOne(fetching, age) ? "worker" : "heir";
  if (isUnclear) return "hidden";
  if (fetching.length > 0) return madeOne(fetching, age) ? "fetcher" : "heir";
  if (isSubscribed) return "listener";
  if (isElsewhere(sockets, rows, clients)) return "hidden";
  if (rows.length > 0) return "client";
  // For connections through a unix socket, nothing shows whose they are.
  const isThroughSocket = all?.some(({ port, command }) => port === 0 && command === "brpop") ?? false;
  return isThroughSocket ? "hidden" : "stranger";
}

/** Whether it is connected to another address that may also be the broker's. */
function isElsewhere(
  sockets: readonly TcpSocket[],
  own: readonly ClientRow[],
  { ourselves, hasName }: Clients,
): boolean {
  if (!hasName || ourselves === null) return false;
  const listed = new Set(own.map(place));
  const { address, port } = ourselves.remote;
  return sockets.some(
    ({ local, remote, state }) =>
      state !== "other" && remote.port === port && remote.address !== address && !listed.has(place(local)),
  );
}

/**
 * A fork inherits connections. It keeps them open after the worker that made them has died. They are older than the
 * fork.
 */
function madeOne(fetching: readonly ClientRow[], age: number): boolean {
  return fetching.some(({ ageS }) => ageS === null || ageS * 1_000 < age + ROUNDED_MS);
}

function place({ address, port }: Endpoint): string {
  return `${plainAddress(address)} ${port}`;
}

/** If several programs may be a worker, the most likely one is named. The order is from likely to unlikely. */
const LIKELIEST: readonly Shows[] = ["worker", "hidden", "heir", "fetcher", "listener", "stranger", "client"];

/**
 * The program that is most likely a worker; null: none can be one. A program that does not run Python is judged by its
 * connections alone.
 */
export function likeliest(unknown: readonly Sighted[]): Sighted | null {
  const rank = ({ shows }: Sighted) => LIKELIEST.indexOf(shows);
  const isMeant = ({ candidate, shows }: Sighted) =>
    candidate.isPython === true ||
    shows === "worker" ||
    shows === "heir" ||
    shows === "fetcher" ||
    (candidate.isPython === null && (shows === "hidden" || candidate.saysWorker));
  return unknown.filter(isMeant).toSorted((a, b) => rank(a) - rank(b) || a.ageMs - b.ageMs)[0] ?? null;
}
