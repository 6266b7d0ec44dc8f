import type { BrokerFailure } from "../../src/broker/failure.ts";
import type { Host } from "../../src/host.ts";
import { failure, success } from "../../src/outcome.ts";
import { type Exchange, takeTurns, type WireCommand } from "../../src/broker/turns.ts";
import type { Channel, Ends, Reply, Topics } from "../../src/broker/channel.ts";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { fakeProc } from "../worker/fake-proc.ts";
import { fakeClock } from "./fake-clock.ts";

/** What the fake broker does with one write. `late`: it takes all the time it is given. */
export type Broker = (
  commands: readonly WireCommand[],
  time: number,
) => readonly Reply[] | "late" | BrokerFailure;

/** Something published, and when; in milliseconds of the fake clock, as all times here. */
export type Published = readonly [time: number, channel: string, text: string];

interface Fake {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  readonly broker?: Broker;
  /** Of each write, in milliseconds; 1 where it is not said. */
  readonly roundTripMs?: number;
  readonly connect?: BrokerFailure;
  /** What is heard, or why nobody may listen. */
  readonly events?: readonly Published[] | BrokerFailure;
  /** The processes at a time, and whatever other files there are; otherwise an init alone. */
  readonly proc?: (time: number) => ProcFiles;
  readonly epochSeconds?: number;
  /** Addresses of host names. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Files that are no regular ones, by what they are. */
  readonly odd?: Readonly<Record<string, string>>;
  /** What is wrong with every file that is written. */
  readonly writeProblem?: string;
  readonly interruptedAt?: number;
}

/** What the story did to its host. */
interface Traces {
  readonly writes: (readonly WireCommand[])[];
  readonly listeners: { readonly topics: Topics; open: boolean }[];
  readonly written: (readonly [path: string, content: string | null])[];
  readonly printed: string[];
}

const BROKER_END = { address: "10.0.0.9", port: 6379 };
/** Where our connections run: the one that asks, and the one that listens. */
export const OURS: Ends = { local: { address: "10.0.0.7", port: 50_001 }, remote: BROKER_END };
const LISTENERS: Ends = { local: { address: "10.0.0.7", port: 50_002 }, remote: BROKER_END };

/** A host on a clock of its own that begins at 30 ms, with a broker that does as told. */
export function fakeHost(fake: Fake): Host & Traces {
  const { now, pause } = fakeClock(30);
  let uuids = 0;
  const traces: Traces = { writes: [], listeners: [], written: [], printed: [] };
  const nobody = fakeProc([]);
  const proc = () => fake.proc?.(now()) ?? nobody;
  const exchange: Exchange = async (commands, withinMs) => {
    traces.writes.push(commands);
    const replies = fake.broker?.(commands, now()) ?? [];
    const roundTripMs = fake.roundTripMs ?? 1;
    const isLate = replies === "late" || roundTripMs > withinMs;
    await pause(isLate ? withinMs : roundTripMs);
    if (isLate) return failure({ kind: "unreachable", cause: "no-answer", detail: `${withinMs} ms` });
    return "kind" in replies ? failure(replies) : success(replies);
  };
  const channel: Channel = {
    ...takeTurns(exchange, now),
    ends: () => OURS,
    close() {
      traces.writes.push([["closed"]]);
    },
  };
  return {
    argv: fake.argv ?? [],
    env: fake.env ?? {},
    hostname: fake.hostname ?? "web-1",
    version: "0.0.0",
    runtime: "a test",
    now,
    epochSeconds: () => fake.epochSeconds ?? 1_800_000_000,
    uuid: () => `uuid-${++uuids}`,
    pause,
    connect: () => Promise.resolve(fake.connect === undefined ? success(channel) : failure(fake.connect)),
    async listen(_target, hear, topics) {
      const listener = { topics, open: true };
      traces.listeners.push(listener);
      await pause(1);
      const events = fake.events ?? [];
      if ("kind" in events) return failure(events);
      for (const [time, name, text] of events) {
        // Who did not listen yet has not heard it.
        if (time < now()) continue;
        void pause(time - now()).then(() => {
          if (listener.open) hear(name, text);
        });
      }
      return success({
        ends: () => LISTENERS,
        close() {
          listener.open = false;
        },
      });
    },
    addressesOf: (name) => Promise.resolve(fake.names?.[name] ?? []),
    proc: {
      self: nobody.self,
      ticksPerSecond: nobody.ticksPerSecond,
      ownAgeMs: now,
      pids: () => proc().pids(),
      read: (path) => proc().read(path),
      link: (path) => proc().link(path),
      list: (path) => proc().list(path),
    },
    readFile(path) {
      const odd = fake.odd?.[path];
      if (odd !== undefined) return failure({ kind: "unfit", detail: odd });
      const text = proc().read(path);
      if (text.ok) return text;
      return text.problem === "forbidden"
        ? failure({ kind: "forbidden", detail: "EACCES" })
        : failure({ kind: "gone", detail: "ENOENT" });
    },
    writeFile(path, content) {
      traces.written.push([path, content]);
      return fake.writeProblem === undefined ? null : { cause: "other", detail: fake.writeProblem };
    },
    files: () => Promise.reject(new Error("no file is looked at in a check")),
    spareMemory: () => Promise.resolve(() => undefined),
    web: () => Promise.reject(new Error("no web here")),
    askPlace: () => Promise.reject(new Error("nobody is asked here")),
    httpServer: () => Promise.reject(new Error("nobody is served here")),
    terminal: () => Promise.resolve(null),
    print(text) {
      traces.printed.push(text);
      return true;
    },
    interrupted:
      fake.interruptedAt === undefined
        ? new Promise(() => undefined)
        : pause(fake.interruptedAt).then(() => "SIGTERM"),
    ...traces,
  };
}

export function ok(value: unknown): Reply {
  return { ok: true, value };
}

/** A worker's reply as it stands in the list. */
export function reply(node: string, ticket: string, result: unknown = { ok: "pong" }): string {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify({ [node]: result })).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { ticket, clock: 1 },
    properties: { body_encoding: "base64" },
  });
}

/** A heartbeat as Celery publishes it (recorded ones: test/fixtures/wire/). */
export function heartbeat(node: string, more: object = {}): string {
  const event = {
    hostname: node,
    pid: 12,
    active: 0,
    processed: 9,
    sw_ver: "5.7.0",
    type: "worker-heartbeat",
  };
  return JSON.stringify({
    body: Buffer.from(JSON.stringify({ ...event, ...more })).toString("base64"),
    "content-type": "application/json",
    headers: { hostname: node },
    properties: { body_encoding: "base64" },
  });
}

/** What the broker says to a command that is none of the conversation with the worker; `undefined`: it is forbidden. */
export type Tell = (command: WireCommand, time: number) => unknown;

/**
 * A broker in good order: `subscribers` connections, and what the list holds at each look.
 *
 * @param before the element at its head when the ping is published
 */
export function brokerWith(
  subscribers: number,
  list: (time: number) => readonly string[],
  { before = "", tell = () => undefined }: { readonly before?: string; readonly tell?: Tell } = {},
): Broker {
  return (commands, time) =>
    commands.map((command): Reply => {
      const [name, , , last] = command;
      const elements = [...list(time), ""];
      switch (name) {
        case "TYPE":
          return ok("none");
        case "MULTI":
          return ok("OK");
        case "EXEC":
          return ok([1, "OK", 1, [before], subscribers]);
        case "LRANGE":
          return commands.length > 1 ? ok("QUEUED") : ok(elements.slice(0, Number(last) + 1));
        case "CLIENT":
        case "INFO":
        case "HLEN":
        case "HMGET":
        case "HSTRLEN":
        case "LLEN":
        case "SCARD":
        case "ZRANGE": {
          const value = tell(command, time);
          return value === undefined ? { ok: false, error: `NOPERM no permission for ${name}` } : ok(value);
        }
        default:
          return ok("QUEUED");
      }
    });
}
