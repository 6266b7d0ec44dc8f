import { type ClientRow, plainAddress } from "../broker/client-list.ts";
import type { Endpoint, Sockets, TcpSocket } from "./sockets.ts";

/** A worker's connections to the broker, taken from the broker's own list. */
export type Connections =
  /** At least one row. */
  | {
      readonly kind: "known";
      readonly by: "socket" | "address";
      readonly rows: readonly ClientRow[];
      /** The broker has closed other sockets of the worker, and the worker has not noticed. */
      readonly closeWait: boolean;
      readonly elsewhere: readonly Endpoint[];
    }
  /** Its sockets were read, and the list contains none of them. */
  | {
      readonly kind: "none";
      /** It holds sockets that the broker has closed, and it has not noticed. */
      readonly closeWait: boolean;
      /** It is trying to connect to the broker. */
      readonly connecting: boolean;
      /**
       * The list shows another program's connection from an address of the worker. Our own connections do not count.
       */
      readonly isAddressListed: boolean;
      /**
       * Other servers that may be its broker. They are on the broker's port or a usual one, or have many connections.
       */
      readonly elsewhere: readonly Endpoint[];
    }
  /** The connections could not be seen. There may be some. */
  | {
      readonly kind: "unknown";
      readonly because:
        | "translated"
        | "sockets-unreadable"
        /** Its network namespace holds more sockets than we read. */
        | "too-many-sockets"
        | "client-list-refused"
        | "address-shared"
        /** The broker could not be asked for its list. */
        | "not-asked"
        /** It holds no TCP connection to the broker, and a client fetches or listens there through a unix socket. */
        | "unix-socket";
      /**
       * Whether the worker holds a socket to the broker, or its user does in its network; `null`: even that cannot be
       * seen.
       */
      readonly established: boolean | null;
      readonly elsewhere: readonly Endpoint[];
    };

/** What was seen of a worker and of ourselves. The sockets are read before the list is requested. */
interface Seen {
  readonly sockets: Sockets;
  /** `null`: the broker does not show its list. */
  readonly rows: readonly ClientRow[] | null;
  /** Our own connection, the one that requested the list. */
  readonly ourselves: { readonly local: Endpoint; readonly remote: Endpoint } | null;
  /** Near ends of our other connections. A socket of which only the user is known may be one of them. */
  readonly alsoOurs?: readonly Endpoint[];
  /** No other worker process of that user is in sight. */
  readonly alone: boolean;
}

/** The usual ports of Redis, of a second Redis, and of Sentinel. */
const USUAL_PORTS = [6379, 6380, 26379];

/**
 * Finds the rows of a worker: their address and port belong to a socket of its process.
 *
 * This works only if nothing translates addresses on the way. Our own connection shows whether something does. Behind
 * NAT, a mesh or a proxy, the list has another address or port for our connection than our socket has.
 */
export function attribute({ sockets, rows, ourselves, alsoOurs = [], alone }: Seen): Connections {
  const ours = [...(ourselves === null ? [] : [ourselves.local]), ...alsoOurs];
  const areRead = sockets.kind === "own" || sockets.kind === "shared";
  const theirs = areRead ? sockets.sockets.filter(({ local }) => !holds(ours, local)) : [];
  const toBroker = theirs.filter(({ remote }) => ourselves !== null && isSame(remote, ourselves.remote));
  const established = toBroker.filter(({ state }) => state === "established");
  const elsewhere = ourselves === null && rows !== null ? [] : others(theirs, ourselves?.remote ?? null);
  const unknown = (because: (Connections & { kind: "unknown" })["because"]): Connections => ({
    kind: "unknown",
    because,
    established: !areRead || ourselves === null ? null : established.length > 0,
    elsewhere,
  });

  if (rows === null) return unknown(ourselves === null ? "not-asked" : "client-list-refused");
  if (ourselves === null || !holds(rows, ourselves.local)) return unknown("translated");
  if (!areRead) return unknown(sockets.kind === "too-many" ? "too-many-sockets" : "sockets-unreadable");

  const closeWait = toBroker.some(({ state }) => state === "close-wait");
  const live = theirs.filter(({ state }) => state === "established").map(({ local }) => local);
  const own = rowsAt(live, rows);
  if (own.length > 0) {
    if (sockets.kind === "own") return { kind: "known", by: "socket", rows: own, closeWait, elsewhere };
    return alone && !own.some(({ address }) => isLoopback(address))
      ? { kind: "known", by: "address", rows: own, closeWait, elsewhere }
      : unknown("address-shared");
  }
  // It reaches the broker by another way (its own network behind NAT). So our way proves nothing about it.
  if (established.some(({ local }) => plainAddress(local.address) !== plainAddress(ourselves.local.address)))
    return unknown("translated");
  // If we came through the unix socket ourselves, a client that only listens may be us.
  const isWorkers = (row: ClientRow) => isPop(row) || (ourselves.local.port !== 0 && row.patterns > 0);
  const isThroughSocket = rows.some((row) => row.port === 0 && isWorkers(row));
  if (isThroughSocket && toBroker.length === 0) {
    return { kind: "unknown", because: "unix-socket", established: true, elsewhere };
  }
  return {
    kind: "none",
    closeWait,
    connecting: toBroker.some(({ state }) => state === "connecting"),
    isAddressListed: rows.some(
      (row) => !holds(ours, row) && live.some(({ address }) => plainAddress(address) === row.address),
    ),
    elsewhere,
  };
}

/** kombu has at least two connections to a broker, usually eight or ten. A database rarely has more than one. */
const BROKERS_SHARE = 2;

function others(sockets: readonly TcpSocket[], broker: Endpoint | null): readonly Endpoint[] {
  const remotes = sockets
    .filter(({ state, remote }) => state === "established" && (broker === null || !isSame(remote, broker)))
    .map(({ remote }) => remote);
  // A user may have tens of thousands of sockets.
  const ends = new Map<string, { readonly remote: Endpoint; count: number }>();
  for (const remote of remotes) {
    const name = nameOf(remote);
    const end = ends.get(name) ?? { remote, count: 0 };
    end.count++;
    ends.set(name, end);
  }
  return [...ends.values()].flatMap(({ remote, count }) => {
    const isUsual = remote.port === broker?.port || USUAL_PORTS.includes(remote.port);
    return isUsual || count >= BROKERS_SHARE ? [remote] : [];
  });
}

function rowsAt(ends: readonly Endpoint[], rows: readonly ClientRow[]): readonly ClientRow[] {
  const wanted = new Set(ends.map(nameOf));
  return rows.filter((row) => wanted.has(nameOf(row)));
}

function holds(ends: readonly Endpoint[], end: Endpoint): boolean {
  return ends.some((one) => isSame(one, end));
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && plainAddress(one.address) === plainAddress(other.address);
}

function nameOf({ address, port }: Endpoint): string {
  return `${plainAddress(address)} ${port}`;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\./.test(plainAddress(address));
}

/**
 * Whether the worker fetches. kombu polls by BRPOP and waits one second. A full worker sends no BRPOP, and its last one
 * stays in the list, unblocked. A dead connection may stay in the list beside a new one. So the worker polls if any
 * connection polls.
 */
export function polling(rows: readonly ClientRow[]): "polls" | "paused" | "absent" {
  const pops = rows.filter(isPop);
  const isBeside = isPollBesideAnother(rows);
  if (pops.some((row) => waits(row) && !(isBeside && (row.idleS ?? 0) >= LONGEST_POLL_S))) return "polls";
  return pops.length > 0 ? "paused" : "absent";
}

/**
 * Whether one connection waits in BRPOP while another, whose last command was also BRPOP, does not wait. One of them is
 * dead, or the waiting one belongs to a running task.
 */
export function isPollBesideAnother(rows: readonly ClientRow[]): boolean {
  const pops = rows.filter(isPop);
  return pops.some(waits) && !pops.every(waits);
}

/** The rows that do not wait in BRPOP. A waiting BRPOP may belong to a running task. */
export function withoutPolls(rows: readonly ClientRow[]): readonly ClientRow[] {
  return rows.filter((row) => !(isPop(row) && waits(row)));
}

/** How far the server's seconds and our milliseconds may disagree. The server's clock ticks ten times a second. */
const SLACK_MS = 250;

/**
 * Whether the worker has certainly sent a BRPOP between two looks.
 *
 * A poll that ended proves nothing: the server's reply makes the connection young, even if the worker is stopped.
 *
 * @param elapsedMs time between the looks. 2,250 ms show every poll. In less time, the server's whole seconds may hide
 * it
 */
export function reissued(
  before: readonly ClientRow[],
  after: readonly ClientRow[],
  elapsedMs: number,
): boolean {
  const pops = new Map(before.filter(isPop).map((row) => [row.id, row]));
  const passedS = Math.max(0, Math.floor((elapsedMs - SLACK_MS) / 1000));
  return after.filter(isPop).some((now) => {
    const then = pops.get(now.id);
    if (then === undefined) return true;
    if (waits(now) !== waits(then)) return waits(now);
    return !wasClockSet(then, now, elapsedMs) && (now.idleS ?? 0) < (then.idleS ?? 0) + passedS;
  });
}

/** A server counts whole seconds, so two lists may differ by one more second. */
const CLOCK_SLACK_S = 2;

/** Whether the server's clock was certainly set between two lists. Then their idle times cannot be compared. */
function wasClockSet(then: ClientRow, now: ClientRow, elapsedMs: number): boolean {
  if (then.idleS === null || now.idleS === null || then.ageS === null || now.ageS === null) return true;
  return Math.abs(now.ageS - then.ageS - elapsedMs / 1_000) > CLOCK_SLACK_S;
}

/** Whole seconds; `atLeastS` is below `atMostS` if the server's clock seems to have been set. */
export interface Idle {
  readonly atLeastS: number;
  readonly atMostS: number;
}

/**
 * How many seconds ago the worker last wrote; `null` if no connection shows it. Redis also counts what it sends itself.
 * So other clients keep a subscribed connection young, and the last poll may end a second later.
 *
 * @param processAgeMs no connection of a worker is older than its process, and none is silent for longer
 */
export function silentFor(rows: readonly ClientRow[], processAgeMs: number): Idle | null {
  return idleOf(
    rows.filter(({ subscriptions }) => subscriptions === 0),
    processAgeMs,
  );
}

/** How many seconds ago it last fetched, counted the same way; `null` if it has no connection left to fetch by. */
export function pausedFor(rows: readonly ClientRow[], processAgeMs: number): Idle | null {
  return idleOf(rows.filter(isPop), processAgeMs);
}

function idleOf(rows: readonly ClientRow[], processAgeMs: number): Idle | null {
  if (rows.length === 0) return null;
  const processS = Math.floor(processAgeMs / 1_000);
  const atMostS = Math.min(processS, ...rows.map(({ idleS }) => idleS ?? Number.POSITIVE_INFINITY));
  const atLeastS = Math.min(atMostS, ...rows.map((row) => leastIdleS(row, processS)));
  return { atLeastS, atMostS };
}

/**
 * How long a connection has certainly been idle, although the server's numbers may contradict each other. A connection
 * cannot be idle for longer than it is open. If it is older than its process, the clock was set forward by at least the
 * difference.
 */
function leastIdleS({ idleS, ageS }: ClientRow, processS: number): number {
  if (idleS === null || ageS === null) return 0;
  const tooOldS = Math.max(0, ageS - processS - CLOCK_SLACK_S);
  return Math.max(0, Math.min(idleS, ageS) - tooOldS);
}

/** The databases that the worker consumes from or listens in, in order. A result backend's databases do not count. */
export function databases(rows: readonly ClientRow[]): readonly number[] {
  const used = rows.filter((row) => isPop(row) || row.patterns > 0).map(({ db }) => db);
  return [...new Set(used)].sort((a, b) => a - b);
}

function isPop({ command }: ClientRow): boolean {
  return command === "brpop";
}

/**
 * kombu's BRPOP waits for one second. If another BRPOP beside it has waited for this many seconds, it belongs to a
 * task.
 */
const LONGEST_POLL_S = 5;

function waits({ flags }: ClientRow): boolean {
  return flags.includes("b");
}
