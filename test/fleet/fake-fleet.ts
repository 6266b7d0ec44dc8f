import { success } from "../../src/outcome.ts";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import type { Reply } from "../../src/broker/channel.ts";
import type { Host } from "../../src/host.ts";
import { asObject, openEnvelope, parseJson } from "../../src/pidbox/envelope.ts";
import { type Broker, fakeHost, heartbeat, ok, OURS, reply } from "../health/fake-host.ts";

/** Workers that exist on the fake broker of a fake host, and what they are asked. */
export interface FakeFleet {
  readonly host: Host;
  /** Those that answer and are subscribed. */
  readonly alive: Set<string>;
  /** Those that are subscribed, and neither answer nor beat: a task blocks them, or SIGSTOP. */
  readonly blocked: Set<string>;
  /** What was published, and when, in milliseconds. */
  readonly asked: {
    readonly method: string;
    readonly atMs: number;
    readonly whom: readonly string[] | null;
  }[];
  /** Keys of reply lists that were ever used. */
  readonly lists: Set<string>;
  /** When somebody has tried to connect, in milliseconds. */
  readonly tries: number[];
  /** What is wrong with the broker from now on; null: nothing. */
  trouble: BrokerFailure | null;
  /** The error that answers every question to the workers, and nothing else; null: none does. */
  refusal: string | null;
  /** What a node consumes that says something else than `celery`. */
  readonly consumed: Map<string, readonly string[]>;
  /** Slices of keys that the database has, and searches of them that were begun. */
  slices: number;
  searches: number;
  /** Queues that somebody has declared. */
  readonly declared: Set<string>;
  /** How long each queue is. */
  readonly lengths: Map<string, number>;
  readonly beat: (node: string, more?: object) => void;
}

const RESULTS: Readonly<Record<string, unknown>> = {
  ping: { ok: "pong" },
  stats: { pool: { "max-concurrency": 4 }, prefetch_count: 16 },
  active: [],
};

/** What a transaction is answered of which the broker refuses one command. */
function refused(name: string, error: string): Reply {
  if (name === "RPUSH") return { ok: false, error };
  return name === "EXEC" ? { ok: false, error: "EXECABORT Transaction discarded." } : ok("QUEUED");
}

export function fakeFleet(): FakeFleet {
  const list: string[] = [];
  /** What stands first in the list before somebody answers. */
  let head = "";
  let hear: ((channel: string, text: string) => void) | null = null;
  const broker: Broker = (commands) => {
    host.writes.length = 0;
    const { trouble, refusal } = fleet;
    if (trouble !== null) return trouble;
    if (refusal !== null && commands.some(([name]) => name === "PUBLISH"))
      return commands.map(([name]) => refused(name, refusal));
    return commands.map(([name, ...args]) => answer(name, args.map(String), commands.length));
  };
  const host = fakeHost({ broker, argv: ["--any", "--placement", "remote"] });
  const connect = host.connect;
  const fleet: FakeFleet = {
    host: {
      ...host,
      connect(...how) {
        fleet.tries.push(host.now());
        return fleet.trouble === null
          ? connect(...how)
          : Promise.resolve({ ok: false, problem: fleet.trouble });
      },
      listen(_target, take) {
        hear = take;
        return Promise.resolve(success({ ends: () => OURS, close: () => (hear = null) }));
      },
      epochSeconds: () => 1_800_000_000 + host.now() / 1_000,
    },
    alive: new Set(),
    blocked: new Set(),
    asked: [],
    lists: new Set(),
    tries: [],
    trouble: null,
    refusal: null,
    slices: 1,
    searches: 0,
    declared: new Set(),
    consumed: new Map(),
    lengths: new Map(),
    beat(node, more) {
      if (fleet.trouble === null) hear?.("/0.celeryev/worker.heartbeat", heartbeat(node, more));
    },
  };

  function published(text: string): void {
    const body = asObject(parseJson(openEnvelope(text)?.body.toString("utf8") ?? "")) ?? {};
    const { method, destination, ticket } = body as {
      method: string;
      destination: readonly string[] | null;
      ticket: string;
    };
    fleet.asked.push({ method, atMs: host.now(), whom: destination });
    for (const node of fleet.alive)
      if (destination?.includes(node) !== false) list.unshift(reply(node, ticket, resultOf(node, method)));
  }

  function resultOf(node: string, method: string): unknown {
    if (method !== "active_queues") return RESULTS[method];
    return (fleet.consumed.get(node) ?? ["celery"]).map((name) => ({ name }));
  }

  function answer(name: string, args: readonly string[], inWrite: number): Reply {
    const [key = "", first = "", second = ""] = args;
    switch (name) {
      case "MULTI":
        return ok("OK");
      case "TYPE":
        fleet.lists.add(key);
        return ok("list");
      case "PUBLISH":
        published(first);
        return ok("QUEUED");
      case "EXEC":
        return ok([1, "OK", 1, [head], fleet.alive.size + fleet.blocked.size]);
      case "LRANGE":
        if (inWrite > 1) {
          head = list[0] ?? "";
          return ok("QUEUED");
        }
        return ok([...list, ""].slice(Number(first), Number(second) + 1));
      case "LREM": {
        const at = list.indexOf(second);
        if (at !== -1) list.splice(at, 1);
        return ok(at === -1 ? 0 : 1);
      }
      case "LLEN":
        return ok(fleet.lengths.get(key) ?? 0);
      case "HLEN":
        return ok(0);
      case "ZRANGE":
        return ok([]);
      case "SCARD":
        return ok(1);
      case "SMEMBERS":
        return ok([`\x06\x16\x06\x16${key.replace("_kombu.binding.", "")}`]);
      case "SCAN": {
        const isBindings = second.includes("binding");
        if (key === "0" && isBindings) fleet.searches++;
        const next = (Number(key) + 1) % fleet.slices;
        const keys =
          isBindings && next === 0 ? [...fleet.declared].map((one) => `_kombu.binding.${one}`) : [];
        return ok([String(next), keys]);
      }
      case "PING":
        return ok("PONG");
      default:
        return ok("QUEUED");
    }
  }

  return fleet;
}
