import { UNKNOWN_COMMAND } from "../../src/worker/command.ts";
import type { Unreachable } from "../../src/broker/failure.ts";
import type { Scene } from "../../src/doctor/scene.ts";
import type { TellingMethod } from "../../src/session/ask-once.ts";
import type { Verdict } from "../../src/health/verdict.ts";
import type { FileLook, Files } from "../../src/machine/parts.ts";
import { failure, success } from "../../src/outcome.ts";
import type { WireCommand } from "../../src/broker/turns.ts";
import { fakeHost } from "../health/fake-host.ts";
import { planned } from "../health/planned.ts";
import { evidence } from "../health/seen.ts";
import { procWith, WORKER } from "../health/fake-worker.ts";
import type { FakeProcess } from "../worker/fake-proc.ts";
import { machine } from "./fake-machine.ts";
import { fakeScene, NODE } from "./fake-scene.ts";

export type Fake = Parameters<typeof fakeScene>[0];

export const NOW_S = 10_000;

/** Replies by the command's name. */
export const replying = (values: Readonly<Record<string, unknown>>) => ({
  broker: ([name]: WireCommand): unknown => values[name],
});
export const REFUSED: Unreachable = {
  kind: "unreachable",
  cause: "connection-refused",
  detail: "ECONNREFUSED",
};
export const noSession: Fake = { scene: { session: failure(REFUSED) } };

export const info = (...lines: readonly string[]): Fake => ({
  ...replying({ INFO: lines.join("\r\n") }),
  check: { evidence: evidence() },
});
export const memory = (used: number, limit: number, policy = "noeviction", evicted = 0) =>
  info(`used_memory:${used}`, `maxmemory:${limit}`, `maxmemory_policy:${policy}`, `evicted_keys:${evicted}`);

export const about = { node: NODE, pid: 12 };
export const judged = (verdict: Verdict): Fake => ({ check: { verdict, evidence: evidence() } });
export const silence = { measured: "connections", forS: 74, graceMs: 300_000 } as const;

/** The worker that is asked is silent; these others answer, and so many workers in all do not. */
export const besides = (others: readonly string[], silent = 1, args: readonly string[] = []): Fake => ({
  args,
  ...judged({ status: "healthy", reason: "busy", ...about, ...silence }),
  scene: { answering: () => Promise.resolve(others), silent: () => Promise.resolve(silent) },
});

export const pool = (more: object): NonNullable<Fake["told"]> => ({
  stats: { pool: { implementation: "celery.concurrency.prefork:TaskPool", ...more } },
});
/** Its broker is found by its connections, at 127.0.0.1; BROKER names `redis`. */
export const connectedElsewhere = (...addresses: readonly string[]): Fake => {
  const found = inSight({ environment: "BROKER=redis://redis:6379/0\0" });
  const plan = planned(fakeHost({ argv: ["--node", NODE, "--placement", "remote"] }));
  const origin = { kind: "connection", pid: 12, by: [] } as const;
  return {
    ...found,
    ...replying({ PING: "PONG" }),
    host: { addressesOf: () => Promise.resolve(addresses) },
    check: { plan: { ...plan, broker: { ...plan.broker, origin } } },
  };
};
/** A worker in sight. */
export const inSight = (process: Partial<FakeProcess>, more: Fake = {}): Fake => {
  const proc = procWith([{ ...WORKER, ...process }]);
  return { proc: [proc, proc], ...more };
};
export const environment = (text: string) =>
  inSight({ environment: text }, { told: pool({ timeouts: [0, 60] }) });

/** Files by their paths below /proc/12/root; whatever else is asked for is not there. */
const withFiles = (
  looks: Readonly<Record<string, Partial<FileLook>>>,
  tail = "",
): NonNullable<Fake["host"]> => {
  const look: Files["look"] = (path) => {
    const found = looks[path.replace("/proc/12/root", "")];
    return found === undefined
      ? failure("gone")
      : success({
          kind: "file",
          uid: 0,
          gid: 0,
          mode: 0o644,
          isReadOnly: false,
          bytes: 1,
          modifiedS: NOW_S,
          ...found,
        });
  };
  const files = { look, tail: (path: string) => (look(path).ok ? success(tail) : failure("gone")) };
  return { files: () => Promise.resolve(files as unknown as Files), epochSeconds: () => NOW_S };
};
export const NO_FILES = withFiles({});
/** Every path is a pipe. */
export const PIPES: NonNullable<Fake["host"]> = {
  files: () => {
    const pipe = { kind: "unfit", detail: "a pipe" };
    return Promise.resolve({ look: () => failure("gone"), tail: () => failure(pipe) } as unknown as Files);
  },
};

export const moments = (...[before, after = before]: Parameters<typeof machine>[1][]): Fake => ({
  proc: [machine(2, before ?? {}), machine(2, after ?? {})],
  host: NO_FILES,
});
/** Its main thread sleeps there at both looks, for its descriptor 1: a connection, or a pipe if the call is not seen. */
export const sleepingIn = (wchan: string, more: Fake = {}, call: string | null = "1 0x1 0x0 0x0"): Fake => {
  const seen = call === null ? { descriptors: ["/dev/null", "pipe:[1]"] } : { connections: 1 };
  const proc = procWith([{ ...WORKER, ...seen }], { "/proc/12/wchan": wchan, "/proc/12/syscall": call });
  return { proc: [proc, proc], host: NO_FILES, ...more };
};
export const SOLO: Fake = { told: pool({ implementation: "celery.concurrency.solo:TaskPool" }) };
/** In a container that has been up for 950 s. */
export const startedAt = (startTicks: number): Fake =>
  inSight(
    { startTicks },
    {
      host: withFiles({ "/.dockerenv": {} }),
      scene: {
        workers: [
          { node: NODE, process: { pid: 12, startTicks, environment: null, command: UNKNOWN_COMMAND } },
        ] as unknown as Scene["workers"],
      },
    },
  );
export const pidfile = (look: Partial<FileLook> | "forbidden" | null): Fake => {
  const status = "Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\n";
  const words = [...WORKER.words, "--pidfile=/run/w.pid"];
  const proc = procWith([{ ...WORKER, words }], { "/proc/12/status": status });
  const files = withFiles(look === null || look === "forbidden" ? {} : { "/run/w.pid": look });
  const none = { files: () => Promise.resolve({ look: () => failure("forbidden") } as unknown as Files) };
  return { proc: [proc, proc], host: look === "forbidden" ? none : files };
};

export const logged = (text: string, total: object = {}): Fake => ({
  args: ["--log", "/w.log"],
  host: withFiles({ "/w.log": {} }, text),
  told: { stats: { total } },
});

/** What lies in the queues; the worker consumes `mails`, and `forgotten` is declared. */
export const lying = (lengths: Readonly<Record<string, number>>, more: Fake = {}): Fake => ({
  told: { active_queues: [{ name: "mails" }], stats: { pool: { "max-concurrency": 2 } } },
  broker: ([name, key]) => {
    if (name === "LLEN") return lengths[String(key)] ?? 0;
    if (name === "SCAN") return ["0", ["_kombu.binding.celery"]];
    if (name === "SCARD") return 1;
    return name === "SMEMBERS" ? ["forgotten\x06\x16\x06\x16forgotten"] : undefined;
  },
  ...more,
});
export const unbound: Fake = { broker: ([name]) => (name === "SCAN" ? ["0", []] : 0) };
export const oneIn = (queue: string): Fake => ({
  broker: ([name, key]) => (name === "SCAN" ? ["0", []] : key === queue ? 1 : 0),
});
export const lengthsAlone = ([name]: WireCommand): unknown => (name === "LLEN" ? 0 : undefined);
export const refusing = (queue: string) => (command: WireCommand) =>
  command[0] === "LLEN" && command[1] === queue ? undefined : lying({}).broker?.(command);

/** Without this answer. */
export const untold = (fake: Fake, method: TellingMethod): Fake => ({
  ...fake,
  told: { ...fake.told, [method]: undefined },
});

/** Two heartbeats within a second, so many tasks that run at each, and a queue that grows by what is given. */
export const paced = (
  active: number | readonly [first: number, last: number],
  growth: number,
  begun = 0,
): Fake => {
  const [before, after] = typeof active === "number" ? [active, active] : active;
  const heard = { node: NODE, pid: 12, version: "5.7.0" };
  const first = { ...heard, active: before, processed: 9 };
  const last = { ...heard, active: after, processed: 9 + begun };
  let looks = 0;
  return lying(
    {},
    {
      broker: ([name, key]) => {
        if (name !== "LLEN") return name === "SCAN" ? ["0", []] : undefined;
        return key === "mails" ? 10 + growth * looks++ : 0;
      },
      scene: {
        spans: () => new Map([[NODE, { first, firstMs: 0, last, lastMs: 1_000 }]]),
      } as unknown as Partial<Scene>,
    },
  );
};

/** So many messages lie in `mails` at both looks; of two slots so many are busy, and between the heartbeats so many tasks begin. */
export const still = (
  length: number,
  active: number,
  { begun = 0, ageS = 5, registered = ["tasks.add"] as unknown, deliveries = [] as readonly string[] } = {},
): Fake => {
  const heard = { node: NODE, pid: 12, version: "5.7.0", active };
  const [first, last] = [0, begun].map((processed) => ({ ...heard, processed }));
  const running = Array.from({ length: active }, (_, id) => ({
    ...{ name: "tasks.nap", id: String(id), time_start: NOW_S - ageS - id },
  }));
  return lying(
    {},
    {
      told: {
        ...{ active_queues: [{ name: "mails" }], stats: { pool: { "max-concurrency": 2 } }, conf: {} },
        ...{ active: running, registered },
      },
      epochSeconds: NOW_S,
      broker: ([name, key]) => {
        if (name === "LLEN") return key === "mails" ? length : 0;
        if (name === "ZRANGE") return deliveries.flatMap((_, at) => [String(at), String(NOW_S)]);
        if (name === "HMGET") return deliveries.map((task) => `[${message(task)}, "", ""]`);
        return { SCAN: ["0", []], ZCARD: deliveries.length, ZCOUNT: 0, HSTRLEN: 300 }[name];
      },
      scene: {
        spans: () => new Map([[NODE, { first, firstMs: 0, last, lastMs: 1_000 }]]),
      } as unknown as Partial<Scene>,
    },
  );
};

/** A worker has bound `mails` to an exchange of this type, whose table has these members. */
export const bound = (type: string, members: readonly string[]): Fake => ({
  told: { active_queues: [{ name: "mails", exchange: { name: "shop", type }, routing_key: "mail.#" }] },
  broker: ([name, key]) => {
    if (name === "SCAN") return ["0", []];
    if (key !== "_kombu.binding.shop") return 0;
    return name === "SCARD" ? members.length : members;
  },
});

const message = (name: string, eta: string | null = null) =>
  JSON.stringify({
    body: "W10=",
    "content-type": "application/json",
    headers: { task: name, id: "1", eta },
    properties: { body_encoding: "base64" },
  });
/** One message that is delivered and not acknowledged, with these headers; delivered anew at the second look or not. */
export const redelivered = (headers: object, isAnew: boolean): Fake => {
  let looks = 0;
  const { headers: own, ...rest } = JSON.parse(message("tasks.add")) as { readonly headers: object };
  return {
    ...unacked(NOW_S),
    broker: ([name]) => {
      if (name === "ZCARD") looks++;
      if (name === "ZRANGE") return ["tag", String(NOW_S - 5 + (isAnew ? looks : 0))];
      const text = JSON.stringify({ ...rest, headers: { ...own, ...headers } });
      return { ZCARD: 1, ZCOUNT: 0, HSTRLEN: 300, HMGET: [`[${text}, "", ""]`] }[name];
    },
  };
};

/**
 * Of two workers of one slot, by two heartbeats with so many tasks each, the first keeps so many messages; the other
 * consumes these queues.
 */
export const hoarding = (held: number, idle: number, queues: readonly string[] = ["mails"]): Fake => {
  const other = "celery@web-2";
  const span = (active: number) => {
    const beat = { pid: 12, version: "5.7.0", active, processed: 3 };
    return { first: beat, firstMs: 0, last: beat, lastMs: 2_000 };
  };
  const answers: Partial<Record<TellingMethod, readonly [unknown, unknown]>> = {
    active: [[{ name: "tasks.nap", id: "n", time_start: NOW_S - 9 }], []],
    active_queues: [[{ name: "mails" }], queues.map((name) => ({ name }))],
    stats: [{ pool: { "max-concurrency": 1 } }, { pool: { "max-concurrency": 1 } }],
    registered: [["tasks.add"], ["tasks.add"]],
    conf: [{}, {}],
  };
  return {
    epochSeconds: NOW_S,
    ...replying({
      ...{ ZCARD: held, ZCOUNT: 0, HSTRLEN: 300, LLEN: 0 },
      ZRANGE: Array.from({ length: held }, (_, at) => [String(at), String(NOW_S - 5)]).flat(),
      HMGET: Array.from({ length: held }, () => `[${message("tasks.add")}, "", ""]`),
    }),
    scene: {
      nodes: () => Promise.resolve([NODE, other]),
      told: (method) => {
        const [own, others] = answers[method] ?? [];
        return Promise.resolve(
          new Map([
            [NODE, own],
            [other, others],
          ]),
        );
      },
      spans: () =>
        new Map([
          [NODE, span(1)],
          [other, span(idle)],
        ]) as unknown as ReturnType<Scene["spans"]>,
    },
  };
};

/** One message waits in `mails`, or in one of its other lists. */
export const next = (
  name: string,
  scene: Partial<Scene> = {},
  { list = "mails", options = {} }: { readonly list?: string; readonly options?: object } = {},
): Fake => ({
  told: {
    ...{ active: [], active_queues: [{ name: "mails" }], registered: ["tasks.add"] },
    conf: { broker_transport_options: options },
  },
  broker: ([command, key]) => {
    if (command === "LLEN") return key === list ? 1 : 0;
    if (command === "MEMORY") return 300;
    return command === "LRANGE" ? [message(name)] : undefined;
  },
  scene,
});
export const running = (
  ageS: number,
  args: readonly string[],
  timeouts?: readonly [number, number],
): Fake => ({
  args,
  told: {
    active: [{ name: "tasks.add", id: "7", time_start: NOW_S - ageS }],
    registered: ["tasks.add"],
    ...pool({ timeouts: timeouts ?? [0, 0] }),
  },
  epochSeconds: NOW_S,
});
/** One message is delivered and not acknowledged, whose time has come, or comes, then. */
export const unacked = (etaS: number, active: unknown = [], more: Fake["told"] = {}): Fake => ({
  told: { active, conf: {}, ...more },
  epochSeconds: NOW_S,
  ...replying({
    ZCARD: 1,
    ZCOUNT: 0,
    ZRANGE: ["tag", String(NOW_S)],
    HSTRLEN: 300,
    HMGET: [`[${message("tasks.add", new Date(etaS * 1_000).toISOString().replace("Z", "+00:00"))}, "", ""]`],
  }),
});

/**
 * The same of one without an ETA that was delivered then, to a worker of one slot that has begun three tasks as it says so,
 * and so many more by a heartbeat so many milliseconds after the first look.
 */
export const delivered = (
  atS: number,
  { active = [] as unknown, told = {}, begun = 0, heardMs = 0 } = {},
): Fake => {
  const heard = { node: NODE, pid: 12, version: "5.7.0", active: 0, processed: 3 + begun };
  return {
    told: {
      ...{ active, conf: {}, registered: ["tasks.add"] },
      stats: { pool: { "max-concurrency": 1 }, prefetch_count: 4, total: { "tasks.add": 3 } },
      ...told,
    },
    epochSeconds: NOW_S,
    ...replying({
      ...{ ZCARD: 1, ZCOUNT: 0, ZRANGE: ["tag", String(atS)], HSTRLEN: 300 },
      HMGET: [`[${message("tasks.add")}, "", ""]`],
    }),
    scene: {
      heard: () => new Map([[NODE, heard]]),
      spans: () => new Map([[NODE, { first: heard, firstMs: 0, last: heard, lastMs: heardMs }]]),
    } as unknown as Partial<Scene>,
  };
};

export const noneUnacked: Fake = replying({ ZCARD: 0, ZCOUNT: 0, ZRANGE: [] });

export const kept = (statuses: readonly string[], total: object | null = null): Fake => ({
  args: total === null ? ["--max-failed", "1"] : [],
  told: { stats: { total: total ?? {} } },
  broker: ([name, key]) => {
    if (name === "DBSIZE") return statuses.length;
    if (name === "SCAN") return ["0", statuses.map((_, position) => `celery-task-meta-${position}`)];
    if (name === "GETRANGE") return `{"status": "${statuses[Number(String(key).slice(17))]}", "result": 1}`;
    return undefined;
  },
});

/** A beat of so many seconds whose file was written so many seconds ago; null: it has deleted it. */
export const beating = (
  ageS: number,
  writtenAgoS: number | null,
  process: Partial<FakeProcess> = {},
): Fake => {
  const words = ["python", "/venv/bin/celery", "-A", "app", "beat", "-s", "/run/schedule"];
  const startTicks = 100_000 - ageS * 100;
  const deleted = writtenAgoS === null ? ["/run/schedule (deleted)"] : [];
  const one = { pid: 12, words, startTicks, descriptors: deleted, ...process };
  const proc = procWith([one]);
  const looks = writtenAgoS === null ? {} : { "/run/schedule": { modifiedS: NOW_S - writtenAgoS } };
  return { proc: [proc, proc], host: withFiles(looks), told: { conf: {} } };
};
/** Forked by a worker that has ended. */
export const leftBeat: Partial<FakeProcess> = { words: [...WORKER.words, "-B"], isForked: true };
export const scheduled = (conf: object): Fake => ({ ...beating(900, 9), told: { conf } });

export const listing = (status: boolean): Fake => {
  const body = JSON.stringify({ data: [{ hostname: NODE, status }] });
  const web = () => Promise.resolve(success({ status: 200, headers: {}, body }));
  return { args: ["--flower", "http://f"], told: { stats: {} }, host: { web: () => Promise.resolve(web) } };
};

/** A Flower that leads people to its login. */
export const behindLogin = () =>
  Promise.resolve(() => Promise.resolve(success({ status: 302, headers: { location: "/login" }, body: "" })));
