import type { ProcFiles } from "../worker/proc-files.ts";
import {
  type Endpoint,
  type Sockets,
  socketsOf,
  type SocketTables,
  type TcpSocket,
} from "../worker/sockets.ts";

/** The servers that may be the broker of a process, the most likely first. */
export interface InUse {
  /** The process has established connections to them. */
  readonly servers: readonly Server[];
  /** Other servers. The process is connecting to them, or they have closed its connections and it has not noticed. */
  readonly lost: readonly Server[];
  /** Whether these are its own sockets. The sockets of all processes of its user prove less. */
  readonly kind: Sockets["kind"];
  /** The near ends of its established connections. */
  readonly ends: readonly Endpoint[];
  /** Whether it has its own network. There an address may lead to another server than here. */
  readonly isOtherNetwork: boolean;
}

export interface Server extends Endpoint {
  readonly connections: number;
}

/** The usual ports of Redis, and of a second Redis or Redis with TLS. */
const REDIS_PORTS = [6379, 6380];

/**
 * Ports of servers that do not speak Redis' protocol and would log each question. They belong to mail, web, memcached,
 * PostgreSQL and its poolers, MySQL, AMQP, MongoDB, Elasticsearch, Kafka, MQTT and Sentinel.
 */
const OTHERS_PORTS = new Set([
  22, 25, 53, 80, 111, 389, 443, 465, 587, 636, 1433, 1521, 1883, 2181, 2379, 3306, 4317, 4318, 4369, 5432,
  5433, 5671, 5672, 6432, 8080, 8086, 8125, 8443, 9000, 9042, 9092, 9200, 11211, 15672, 26379, 27017,
]);

/** kombu has at least two connections to its broker. A server with fewer connections is asked last. */
const BROKERS_SHARE = 2;

/** The most servers that are asked. */
const MOST_SERVERS = 6;

export function serversInUse(proc: ProcFiles, pid: number, tables: SocketTables): InUse {
  const read = socketsOf(proc, pid, tables);
  const sockets = read.kind === "own" || read.kind === "shared" ? read.sockets : [];
  const isOtherNetwork = hasOtherNetwork(proc, pid);
  const listening = new Set(sockets.filter(({ remote }) => remote.port === 0).map(({ local }) => local.port));
  // A connection through a port that the process itself listens on leads to a client.
  const outgoing = sockets
    .filter(({ local, remote }) => remote.port !== 0 && !listening.has(local.port))
    .filter(({ remote }) => !isOtherNetwork || !isLoopback(remote.address));
  const established = outgoing.filter(({ state }) => state === "established");
  const lost = outgoing.filter(({ state }) => state === "connecting" || state === "close-wait");
  return {
    servers: likeliest(established),
    lost: likeliest(lost).filter((server) => likelihood(server) > 0),
    kind: read.kind,
    ends: established.map(({ local }) => local),
    isOtherNetwork,
  };
}

/** False for a worker of another user, whose network cannot be read. It is taken to be in our own container. */
function hasOtherNetwork(proc: ProcFiles, pid: number): boolean {
  const [its, ours] = [proc.link(`/proc/${pid}/ns/net`), proc.link("/proc/self/ns/net")];
  return its.ok && ours.ok && its.value !== ours.value;
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function likeliest(sockets: readonly TcpSocket[]): readonly Server[] {
  const servers = new Map<string, { readonly remote: Endpoint; connections: number }>();
  for (const { remote } of sockets) {
    if (OTHERS_PORTS.has(remote.port)) continue;
    const name = `${remote.address} ${remote.port}`;
    const server = servers.get(name) ?? { remote, connections: 0 };
    server.connections++;
    servers.set(name, server);
  }
  return [...servers.values()]
    .map(({ remote, connections }) => ({ ...remote, connections }))
    .toSorted((a, b) => likelihood(b) - likelihood(a) || b.connections - a.connections)
    .slice(0, MOST_SERVERS);
}

function likelihood({ port, connections }: Server): number {
  return (REDIS_PORTS.includes(port) ? 2 : 0) + (connections >= BROKERS_SHARE ? 1 : 0);
}
