import { DEFAULT_NAMING } from "../../src/broker/keys.ts";
import type { ClientRow } from "../../src/broker/client-list.ts";
import type { Asking, Beats, Evidence, Hearing, Look, NodeEvidence } from "../../src/health/evidence.ts";
import type { Sighted } from "../../src/discovery/suspect.ts";
import type { Rules } from "../../src/health/judgement.ts";
import type { Connections } from "../../src/worker/connections.ts";
import type { ProcessLook } from "../../src/worker/process.ts";

/** Evidence for the tests of the judge: a worker in good order, of which each test changes what it is about. */
export const NODE = "celery@web-1";

export const RULES: Rules = {
  asked: { kind: "nodes", nodes: [NODE] },
  naming: DEFAULT_NAMING,
  startGraceMs: 0,
  strict: false,
  work: { queues: [], requireConsuming: false, maxTaskAge: null, maxQueueLength: [] },
};

export const SEEN = {
  kind: "seen",
  pid: 12,
  startTicks: 700,
  foundBy: "command",
  words: "python celery worker",
  pool: "prefork",
  slots: 2,
  gossips: true,
  beats: true,
  graceMs: 300_000,
} as const;

export const NOBODY = {
  kind: "none",
  zombie: null,
  others: [],
  namesInUse: false,
  suspect: null,
  instead: null,
} as const;

export const ASKED: Extract<Asking, { kind: "asked" }> = {
  kind: "asked",
  pings: 2,
  via: { server: "127.0.0.1:6379", db: 0, tls: "none", channel: "/0.celery.pidbox" },
  subscribers: 1,
  pongs: [],
  waitedMs: 4_000,
  over: true,
  cutShort: false,
};

export const PONG = { node: NODE, afterMs: 3, copies: 1 };

const HOUR_MS = 3_600_000;

export function processLook(changed: Partial<ProcessLook> = {}): ProcessLook {
  return {
    state: "running",
    frozen: false,
    frozenForMs: 0,
    ageMs: HOUR_MS,
    voluntarySwitches: 5,
    waitsForEvents: false,
    children: 2,
    handlesSignals: true,
    ...changed,
  };
}

let ids = 0;

export function row(changed: Partial<ClientRow> = {}): ClientRow {
  return {
    id: ++ids,
    address: "10.0.0.2",
    port: 50_000 + ids,
    idleS: 90,
    ageS: 3_600,
    flags: "N",
    db: 0,
    subscriptions: 0,
    patterns: changed.subscriptions ?? 0,
    command: "publish",
    ...changed,
  };
}

/** A worker's connections: its BRPOP, the control channel, the gossip of others, and one that writes. */
export function rows(brpop: Partial<ClientRow> | null, idleS = 90): readonly ClientRow[] {
  return [
    ...(brpop === null ? [] : [row({ id: 1, command: "brpop", idleS, ...brpop })]),
    row({ id: 2, command: "psubscribe", flags: "P", subscriptions: 1, idleS: 0 }),
    row({ id: 4, command: "psubscribe", flags: "P", subscriptions: 1, idleS: 0 }),
    row({ id: 3, idleS }),
  ];
}

export function known(list: readonly ClientRow[]): Connections {
  return { kind: "known", by: "socket", rows: list, closeWait: false, elsewhere: [] };
}

/** Three looks over 2.3 s; the connections are as they are in the last, where nothing was written meanwhile. */
export function looks(
  connections: Connections | null,
  process: ProcessLook | null = processLook(),
): readonly Look[] {
  const ages = [2, 2, 0];
  return [300, 420, 2_650].map((atMs, position) => ({
    atMs,
    process,
    connections:
      connections?.kind === "known"
        ? { ...connections, rows: connections.rows.map(younger(ages[position] ?? 0)) }
        : connections,
  }));
}

function younger(seconds: number): (row: ClientRow) => ClientRow {
  return (one) => ({
    ...one,
    idleS: one.idleS === null || one.idleS < seconds ? one.idleS : one.idleS - seconds,
    ageS: one.ageS === null ? null : one.ageS - seconds,
  });
}

export const SILENCE: Extract<Hearing, { kind: "listened" }> = {
  kind: "listened",
  forMs: 3_500,
  own: null,
  namesake: null,
};

const EXPECTED = { kind: "expected" } as const;

export function beating(changed: Partial<Beats> = {}): Extract<Hearing, { kind: "listened" }> {
  const own = {
    count: 2,
    active: 0,
    processed: 9,
    isIdle: true,
    version: "5.7.0",
    whence: EXPECTED,
    ...changed,
  };
  return { kind: "listened", forMs: 3_500, own, namesake: null };
}

/** A process that runs, with connections, silent for 90 s: busy. */
export function node(changed: Partial<NodeEvidence> = {}): NodeEvidence {
  return {
    node: NODE,
    laterNode: null,
    process: SEEN,
    looks: looks(known(rows({}))),
    heartbeats: SILENCE,
    waiting: null,
    silentSinceS: null,
    ...changed,
  };
}

export function evidence(one: Partial<NodeEvidence> = {}, changed: Partial<Evidence> = {}): Evidence {
  return {
    asking: ASKED,
    nodes: [node(one)],
    brokerUpS: 7_200,
    masterForS: null,
    brokerName: null,
    otherExchange: null,
    unacked: 0,
    work: null,
    stateFileProblem: null,
    notTaken: null,
    ...changed,
  };
}

/** A program that may be the worker: by default one that has never been connected. */
export function sighted(changed: Partial<Sighted>): Sighted {
  return {
    candidate: {
      pid: 30,
      parent: 1,
      innerPid: 30,
      startTicks: 5_000,
      words: "python run_worker.py",
      isPython: true,
      isForked: false,
      saysWorker: false,
    },
    shows: "stranger",
    ears: 2,
    publishes: false,
    serves: false,
    ageMs: 3_600_000,
    ...changed,
  };
}
