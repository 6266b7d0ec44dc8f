import { asText } from "../numbers.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Reply } from "./channel.ts";
import { type BrokerFailure, refusedBy, type Unreachable } from "./failure.ts";
import { without } from "./masking.ts";
import type { Found, Search } from "./search.ts";
import type { Located } from "./settings.ts";
import { refusal } from "./turns.ts";
import { type BrokerTarget, placeText } from "./url.ts";

type BySentinel = Extract<Located, { kind: "sentinel" }>;

/** The time between two rounds of asking during a failover, in milliseconds. */
const ROUND_MS = 100;

/** A master that Sentinels know. */
interface Master {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Name and place. Our passwords are masked, because a false Sentinel or master may repeat them. */
  readonly shown: { readonly name: string; readonly place: string };
  /** Whether the Sentinels think that it can be reached. */
  readonly isUp: boolean;
  /** Seconds since they have known it in this role; null: an old Sentinel does not say. */
  readonly forS: number | null;
}

/**
 * Asks one Sentinel after the other for the master, as redis-py does (redis/sentinel.py `discover_master`). It sends
 * SENTINEL MASTERS, which the worker's Sentinel user must be allowed to send. It connects to the master only if that
 * server says that it is one. During a failover it asks the Sentinels again, for half of the time that is left.
 */
export async function findMaster(broker: BySentinel, search: Search): Promise<Outcome<Found, BrokerFailure>> {
  const end = search.now() + search.leftMs() / 2;
  for (;;) {
    const found = await oneRound(broker, search);
    const mayEnd = found.ok || found.problem.kind === "refused" || found.problem.cause === "no-master";
    if (mayEnd || search.now() + ROUND_MS >= end) return found;
    await search.pause(ROUND_MS);
  }
}

async function oneRound(broker: BySentinel, search: Search): Promise<Outcome<Found, BrokerFailure>> {
  const { sentinels } = broker;
  let problem: BrokerFailure | null = null;
  for (const [position, sentinel] of sentinels.entries()) {
    const share = Math.min(search.connectMs, search.leftMs() / (sentinels.length - position + 1));
    const passwords = [sentinel.password, broker.master.password];
    const masters = await mastersKnownTo(sentinel, passwords, share, search);
    if (!masters.ok) {
      problem ??= { ...masters.problem, where: `Sentinel ${placeText(sentinel.place)}`, bySentinel: true };
      continue;
    }
    const master = masterAmong(masters.value, broker.masterName);
    if (!master.ok) {
      // This Sentinel is new or was told to forget the master. redis-py also goes on to the next one.
      problem = master.problem;
      continue;
    }
    const connected = await connectTo(master.value, broker, search);
    if (connected.ok || connected.problem.kind === "refused") return connected;
    // Another Sentinel may know more.
    ({ problem } = connected);
  }
  return failure(problem ?? noMaster("no Sentinel is named"));
}

async function mastersKnownTo(
  target: BrokerTarget,
  passwords: readonly (string | undefined)[],
  withinMs: number,
  { connect, now }: Search,
): Promise<Outcome<readonly Master[], BrokerFailure>> {
  const start = now();
  const channel = await connect(target, withinMs);
  if (!channel.ok) return channel;
  const sent = await channel.value.send([["SENTINEL", "MASTERS"]], Math.max(1, withinMs - (now() - start)));
  channel.value.close();
  if (!sent.ok) return sent;
  const [reply] = sent.value;
  if (!reply?.ok) return failure(refusedBy("SENTINEL", reply?.error ?? ""));
  return Array.isArray(reply.value)
    ? success((reply.value as unknown[]).flatMap((entry) => readMaster(entry, passwords)))
    : failure(refusal("SENTINEL", reply));
}

/** The entry is a flat list of names and values. */
function readMaster(entry: unknown, passwords: readonly (string | undefined)[]): readonly Master[] {
  if (!Array.isArray(entry)) return [];
  const words = entry.map(asText);
  const fields = new Map(
    words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? ""] as const] : [])),
  );
  const [name, host, port] = [fields.get("name"), fields.get("ip"), Number(fields.get("port"))];
  if (name === undefined || host === undefined || !Number.isInteger(port)) return [];
  const reported = Number(fields.get("role-reported-time"));
  return [
    {
      name,
      host,
      port,
      shown: {
        name: without(name, passwords),
        place: without(placeText({ kind: "tcp", host, port }), passwords),
      },
      isUp: !/[so]_down|disconnected/.test(fields.get("flags") ?? ""),
      forS: Number.isFinite(reported) ? reported / 1_000 : null,
    },
  ];
}

/** The named master. Without a name, the only master. */
function masterAmong(masters: readonly Master[], name: string | null): Outcome<Master, BrokerFailure> {
  const [only, another] = masters;
  const master = name === null ? only : masters.find((one) => one.name === name);
  if (master !== undefined && (name !== null || another === undefined)) return success(master);
  const names =
    masters
      .map((one) => `'${one.shown.name}'`)
      .sort()
      .join(", ") || "none";
  return failure(noMaster(name === null ? `they know ${names}` : `they know ${names}, not '${name}'`));
}

function noMaster(detail: string): Unreachable {
  return { kind: "unreachable", cause: "no-master", detail };
}

async function connectTo(
  { shown, host, port, isUp, forS }: Master,
  { master }: BySentinel,
  search: Search,
): Promise<Outcome<Found, BrokerFailure>> {
  const target: BrokerTarget = { ...master, place: { kind: "tcp", host, port } };
  const where = `the master '${shown.name}' at ${shown.place}`;
  if (!isUp) return failure(failover(where, "the Sentinels cannot reach it"));
  const channel = await search.connect(target, Math.min(search.connectMs, search.leftMs()));
  if (!channel.ok) return failure({ ...channel.problem, where });
  const sent = await channel.value.send([["ROLE"]], Math.min(search.connectMs, search.leftMs()));
  if (!sent.ok) {
    channel.value.close();
    return failure({ ...sent.problem, where });
  }
  if (isReplica(sent.value[0])) {
    channel.value.close();
    return failure(failover(where, "it says that it is a replica"));
  }
  return success({ channel: channel.value, target, shown: shown.place, masterForS: forS });
}

/** If the user may not ask for the role, the transaction shows it: a replica refuses writes. */
function isReplica(reply: Reply | undefined): boolean {
  return reply?.ok === true && Array.isArray(reply.value) && reply.value[0] === "slave";
}

/** A newly named master that refuses writes has lost the role or not taken it yet. */
export function failover(where: string, detail: string): Unreachable {
  return { kind: "unreachable", cause: "failover", where, detail };
}
