import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { BrokerFailure, RefusedCause, UnreachableCause, Unnamed } from "../../src/broker/failure.ts";
import { DEFAULT_NAMING } from "../../src/broker/keys.ts";
import type {
  Asking,
  Evidence,
  Hearing,
  NodeEvidence,
  NotTaken,
  ProcessSight,
  SharedLife,
} from "../../src/health/evidence.ts";
import type { WorkRules } from "../../src/health/judgement.ts";
import type { CheckPlan } from "../../src/health/plan.ts";
import type { CheckReport } from "../../src/health/report.ts";
import type { Gap, Reason, Unseen, Verdict, Want } from "../../src/health/verdict.ts";
import type { Tasks } from "../../src/health/work-evidence.ts";
import { brokerStatement } from "../../src/render/broker-words.ts";
import { checkJson } from "../../src/render/json.ts";
import { page } from "../../src/render/gate.ts";
import { checkText } from "../../src/render/text.ts";
import type { Connections } from "../../src/worker/connections.ts";
import {
  ASKED,
  beating,
  evidence,
  known,
  looks,
  node,
  NOBODY,
  NODE,
  PONG,
  processLook,
  row,
  rows,
  RULES,
  SEEN,
  SILENCE,
  sighted,
} from "../health/seen.ts";

// Records, so that the compiler misses none.
const UNREACHABLE: Record<UnreachableCause, string> = {
  "connection-refused": "ECONNREFUSED",
  "name-not-found": "ENOTFOUND",
  "no-route": "EHOSTUNREACH",
  "connect-timeout": "1000 ms",
  "no-answer": "1000 ms",
  "connection-lost": "ECONNRESET",
  "connect-failed": "EPERM",
  "socket-missing": "ENOENT",
  "socket-forbidden": "EACCES",
  "tls-file": "ssl_ca_certs (ENOENT): /run/ca.pem",
  "certificate-unknown": "SELF_SIGNED_CERT_IN_CHAIN",
  "certificate-expired": "CERT_HAS_EXPIRED",
  "certificate-other-host": "ERR_TLS_CERT_ALTNAME_INVALID",
  "certificate-wanted": "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "no-tls": "ERR_SSL_WRONG_VERSION_NUMBER",
  "only-tls": "ECONNRESET",
  "tls-failed": "ERR_SSL_NO_CIPHER_MATCH",
  "no-master": "they know 'main', not 'mymaster'",
  "not-named": "",
  failover: "it says that it is a replica",
  "unreadable-url": "has port 99999: expected 1 to 65535",
};
const REFUSED: Record<RefusedCause, string> = {
  "wrong-password": "WRONGPASS invalid username-password pair or user is disabled.",
  "password-needed": "NOAUTH Authentication required.",
  "password-not-wanted": "ERR AUTH <password> called without any password configured for the default user.",
  "no-permission": "NOPERM this user has no permissions to run the 'publish' command",
  "out-of-memory": "OOM command not allowed when used memory > 'maxmemory'.",
  "read-only": "READONLY You can't write against a read only replica.",
  loading: "LOADING Redis is loading the dataset in memory",
  script: "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  "protected-mode": "DENIED Redis is running in protected mode",
  "too-many-clients": "ERR max number of clients reached",
  "no-such-database": "ERR DB index is out of range",
  "no-transactions": "ERR unknown command 'MULTI'",
  sentinel: "ERR unknown command 'TYPE', with args beginning with: 'k' ",
  "no-sentinel": "ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' ",
  "wrong-type": "k.reply.celery.pidbox is a hash",
  "cannot-write": "MISCONF Redis is configured to save RDB snapshots",
  cluster: "MOVED 866 127.0.0.1:7001",
  "not-redis": 'a reply begins with "H"',
  "too-large": "a text of 104857600 bytes or more, and 16777216 are read",
  other: "ERR unknown command 'EXPIRE'",
};
const endpoints = [
  { address: "10.0.0.9", port: 6379 },
  { address: "fd00::9", port: 6380 },
];
const NAME = {
  name: "cache",
  port: 6379,
  addresses: ["10.0.0.12"],
  changes: false,
  isWorkersOwn: true,
  old: "left",
} as const;
const FAILURES: readonly BrokerFailure[] = [
  ...Object.entries(UNREACHABLE).map(([cause, detail]): BrokerFailure => {
    return { kind: "unreachable", cause: cause as UnreachableCause, detail };
  }),
  ...Object.entries(REFUSED).map(([cause, detail]): BrokerFailure => {
    return { kind: "refused", cause: cause as RefusedCause, command: "PUBLISH", detail };
  }),
];

const PLAN: CheckPlan = {
  failure: null,
  broker: {
    located: {
      kind: "servers",
      servers: [{ place: { kind: "tcp", host: "cache", port: 6379 }, db: 0, password: "hunter2", tls: null }],
    },
    shown: "redis://:***@cache:6379/0",
    origin: { kind: "environment", name: "CELERY_BROKER_URL" },
    bySentinels: false,
  },
  asked: RULES.asked,
  pids: [],
  targets: [{ node: NODE, laterNode: null, worker: null }],
  isNamed: false,
  others: [],
  place: {
    kind: "in-sight",
    name: "inside",
    survey: { visible: true, workers: [], zombies: [], instead: null },
  },
  destination: [NODE],
  writeBroker: null,
  naming: DEFAULT_NAMING,
  route: { channel: "/0.celery.pidbox", lists: ["k.reply.celery.pidbox"] },
  replyTo: "k.reply.celery.pidbox",
  keep: 32,
  pings: 2,
  timeout: 2_000,
  connectTimeout: 1_000,
  deadline: 5_000,
  busyGrace: null,
  rules: RULES,
  stateFile: null,
  acceptShared: null,
  pidfile: null,
};

function report(verdict: Verdict, seen: Evidence = evidence(), more: Partial<CheckReport> = {}): CheckReport {
  return {
    plan: PLAN,
    evidence: seen,
    verdict,
    isForgiven: false,
    elapsedMs: 91,
    unknownVariables: [],
    ...more,
  };
}

const line = (...what: Parameters<typeof report>) => checkText(report(...what), false).join("\n");
const withWork = (work: Partial<WorkRules>): Partial<CheckReport> => {
  return { plan: { ...PLAN, rules: { ...RULES, work: { ...RULES.work, ...work } } } };
};

const about = { node: NODE, pid: 12 };
const silence = { forS: 74, graceMs: 300_000 };
const hanging = { forS: 7_500, graceMs: 300_000 };
const busy = (measured: "connections" | "state-file" | "not"): Verdict => {
  return { status: "healthy", reason: "busy", ...about, measured, ...silence };
};
const hung = (measured: "connections" | "state-file", isStopping = false): Verdict => {
  return { status: "unhealthy", reason: "hung", ...about, measured, ...hanging, isStopping };
};
const deaf = (
  shownBy: "polling" | "heartbeat" | "switches" | "events",
  subscribers: number,
  pid: number | null = 12,
): Verdict => ({ status: "healthy", reason: "deaf", node: NODE, pid, shownBy, subscribers, active: 2 });
const dead = (how: "none" | "remains" | "zombie" | "ended", pid: number | null): Verdict => {
  return { status: "unhealthy", reason: "dead", node: NODE, pid, how, instead: null };
};
const catatonic = (
  pausedS: number | null,
  active: number | null = 0,
  waiting: number | null = null,
): Verdict => {
  return { status: "unhealthy", reason: "catatonic", ...about, active, pausedS, waiting };
};
const notConsuming = (
  how: "cancelled" | "half-open" | "no-work",
  length: number | null,
  unacked = 0,
): Verdict => {
  const pausedS = how === "cancelled" ? 0 : 95;
  const what = { how, queue: "mail", length, pausedS, unacked };
  return { status: "unhealthy", reason: "not-consuming", ...about, ...what };
};
const pong = (name: string, copies = 1) => ({ ...PONG, node: name, copies });
const alive = (...pongs: readonly ReturnType<typeof pong>[]): Verdict => {
  return { status: "healthy", reason: "alive", pongs };
};

const LIFE: SharedLife = { node: NODE, ageS: 12.3, host: "mon-1", version: "0.9.0" };
const byServe = (...shared: readonly SharedLife[]): Verdict => {
  return { status: "healthy", reason: "alive", pongs: [], shared };
};
const shared = (...lives: readonly SharedLife[]): Evidence =>
  evidence(
    { process: { kind: "unexamined" }, looks: [], heartbeats: { kind: "not-listened" } },
    { asking: { kind: "shared", via: ASKED.via, lives }, brokerUpS: null, unacked: null },
  );
const KEY = "celery-probe.verdicts./0.celery.pidbox";
const REFUSED_TO_US: NotTaken = {
  because: "refused",
  detail: "NOPERM no permissions to run the 'hget' command",
};
const NOT_TAKEN: readonly NotTaken[] = [
  { because: "process", node: NODE },
  { because: "missing", node: NODE, key: KEY },
  { because: "damaged", node: NODE, key: KEY },
  { because: "old", node: NODE, ageS: 62 },
  { because: "earlier-process", node: NODE, ageS: 20 },
  { because: "not-alive", node: NODE, reason: "hung", host: "mon-1" },
  REFUSED_TO_US,
];

const VERDICTS: Record<
  Exclude<Reason, "undecided" | "broker-unreachable" | "broker-refused">,
  readonly Verdict[]
> = {
  alive: [
    alive(pong(NODE)),
    alive(pong("a@x"), pong("b@x")),
    alive(pong(NODE, 2)),
    alive(...Array.from({ length: 10 }, (_, n) => pong(`w${n}@x`))),
  ],
  busy: [
    ...(["connections", "state-file", "not"] as const).map(busy),
    { ...busy("connections"), status: "unhealthy" } as Verdict,
  ],
  deaf: [
    deaf("polling", 1),
    deaf("polling", 0),
    deaf("heartbeat", 1),
    deaf("heartbeat", 0),
    deaf("switches", 0),
    deaf("events", 0),
    deaf("heartbeat", 1, null),
    { ...deaf("polling", 1), status: "unhealthy" } as Verdict,
  ],
  stopping: (["connections", "state-file", "not"] as const).map((measured) => {
    return { status: "healthy", reason: "stopping", ...about, measured, ...silence };
  }),
  starting: [{ status: "healthy", reason: "starting", ...about, ageMs: 12_300, graceMs: 40_000 }],
  dead: [
    dead("none", null),
    ...(["beat", "flower", "left-beat", "another"] as const).map(
      (what) => ({ ...dead("none", null), instead: { pid: 9, what, words: "sleep 9" } }) as Verdict,
    ),
    dead("remains", 12),
    dead("zombie", 12),
    dead("ended", 12),
  ],
  stopped: [
    { status: "unhealthy", reason: "stopped", ...about, how: "stopped" },
    { status: "unhealthy", reason: "stopped", ...about, how: "frozen" },
  ],
  disconnected: [
    {
      ...{ status: "unhealthy", reason: "disconnected", ...about, ageMs: 3_600_000, brokerUpS: 86_400 },
      moved: null,
    },
    {
      ...{ status: "unhealthy", reason: "disconnected", ...about, ageMs: 3_600_000, brokerUpS: 86_400 },
      moved: { from: endpoints, to: ["10.0.0.12"] },
    },
  ],
  hung: [hung("connections"), hung("state-file"), hung("connections", true)],
  catatonic: [
    catatonic(95),
    catatonic(null),
    catatonic(9, 2),
    catatonic(400, null, 1),
    catatonic(400, null, 3),
  ],
  "not-consuming": [
    notConsuming("cancelled", null),
    notConsuming("cancelled", 0),
    notConsuming("cancelled", 1),
    notConsuming("half-open", 7),
    notConsuming("no-work", 7, 8),
    notConsuming("no-work", 7, 1),
  ],
  "stuck-task": [
    {
      status: "unhealthy",
      reason: "stuck-task",
      ...about,
      task: "app.report",
      id: "7e1c2f64-1f0b-4c38-9a29-5e4b1f1d7a10",
      ageS: 5_400,
      limitMs: 3_600_000,
    },
  ],
  backlog: [
    { status: "unhealthy", reason: "backlog", queue: "mail", length: 1_204, limit: 1_000 },
    { status: "unhealthy", reason: "backlog", queue: "mail", length: 1, limit: 0 },
  ],
};

const UNSEEN: Record<Unseen, true> = {
  translated: true,
  "sockets-unreadable": true,
  "too-many-sockets": true,
  "client-list-refused": true,
  "address-shared": true,
  "not-asked": true,
  "unix-socket": true,
};
const WANTED: Record<Want, true> = { pong: true, "second-look": true, heartbeat: true };
const unseen = Object.keys(UNSEEN) as Unseen[];
const tooFew = { kind: "too-few", wanted: 3, pings: 2, waitedMs: 4_012, cutShort: false } as const;
const far = { kind: "out-of-sight", node: NODE, pid: null, listened: true } as const;

const GAPS: { readonly [K in Gap["kind"]]: readonly Extract<Gap, { kind: K }>[] } = {
  "too-few": [
    { ...tooFew, pongs: [], subscribers: 0 },
    { ...tooFew, pongs: [], subscribers: 1 },
    { ...tooFew, pongs: [], wanted: 1, pings: 1, subscribers: 2 },
    { ...tooFew, pongs: [pong("a@x"), pong("b@x")], subscribers: 2, pings: 1, waitedMs: 850, cutShort: true },
  ],
  "out-of-sight": (["remote", "beside", "no-proc"] as const).flatMap((because) => [
    { ...far, because, subscribers: 2, heard: false },
    { ...far, because, subscribers: 2, heard: true },
    { ...far, because, subscribers: 0, heard: false },
    { ...far, because, subscribers: 0, heard: true },
    { ...far, because, subscribers: 1, heard: false, listened: false },
  ]),
  "deaf-or-catatonic": [...unseen, "held" as const].map((because) => {
    return { kind: "deaf-or-catatonic", ...about, because };
  }),
  reconnecting: [
    { kind: "reconnecting", ...about, brokerUpS: 12 },
    { kind: "reconnecting", ...about, brokerUpS: null },
  ],
  importing: [{ kind: "importing", ...about, ageMs: 8_400 }],
  elsewhere: [
    { kind: "elsewhere", ...about, endpoints, brokerName: null },
    { kind: "elsewhere", ...about, endpoints, brokerName: NAME },
    { kind: "elsewhere", ...about, endpoints, brokerName: { ...NAME, changes: true } },
  ],
  "other-database": [
    { kind: "other-database", ...about, asked: 0, seen: [1] },
    { kind: "other-database", ...about, asked: 0, seen: [1, 2] },
  ],
  "other-prefix": [
    { kind: "other-prefix", ...about, asked: "", seen: "gp:" },
    { kind: "other-prefix", ...about, asked: "gp:", seen: "" },
  ],
  "other-fanout-prefix": [
    { kind: "other-fanout-prefix", ...about, asked: "/{db}.", seen: "/app1." },
    { kind: "other-fanout-prefix", ...about, asked: "/{db}.", seen: "" },
  ],
  misnamed: [
    { kind: "misnamed", node: NODE, pid: null, names: ["w1@web-1"] },
    { kind: "misnamed", node: NODE, pid: null, names: ["w1@web-1", "w2@web-1"] },
    { kind: "misnamed", ...about, names: ["w1@web-1"] },
  ],
  unrecognised: [{ kind: "unrecognised", ...about, words: "python run_worker.py" }],
  unseen: unseen.flatMap((because) =>
    // Of sockets that may not be read nobody can say that none is established.
    (because === "sockets-unreadable" || because === "too-many-sockets" ? [null] : [false, null]).map(
      (established) => {
        return { kind: "unseen", ...about, because, established };
      },
    ),
  ),
  unfinished: (Object.keys(WANTED) as Want[]).map((wanted) => ({ kind: "unfinished", ...about, wanted })),
  "no-time": [{ kind: "no-time" }],
  interrupted: [{ kind: "interrupted", signal: "SIGTERM" }],
  crashed: [{ kind: "crashed", detail: "RangeError: Maximum call stack size exceeded (at f (main.js:1:2))" }],
};

const undecided = (gap: Gap): Verdict => ({ status: "unknown", reason: "undecided", gap });
const failed = (failure: BrokerFailure): Verdict =>
  failure.kind === "unreachable"
    ? { status: "unknown", reason: "broker-unreachable", failure }
    : { status: "unknown", reason: "broker-refused", failure };
const lost = (failure: BrokerFailure): Evidence => {
  return evidence({}, { asking: { kind: "broker-failed", failure, pings: 0 } });
};

/** What every line keeps to: one line, verdict first, no final period, nothing missing. */
function expectSpeech(text: string): void {
  expect(text).toMatch(/^(healthy|unhealthy|unknown): [a-z-]+: \S.*[^.\s]$/);
  expect(text).not.toMatch(/undefined|null|NaN|\[object|hunter2| {2}|: ;|[.?];|; hint: .*; hint: /);
}

describe("the line", () => {
  test.each(Object.entries(VERDICTS))("of %s", (_, verdicts) => {
    const lines = verdicts.map((verdict) => {
      const isStrict = verdict.status === "unhealthy" && /busy|deaf/.test(verdict.reason);
      const plan = { ...PLAN, rules: { ...RULES, strict: isStrict } };
      return line(verdict, evidence(), { plan });
    });
    for (const text of lines) expectSpeech(text);
    expect([...new Set(lines)].join("\n")).toMatchSnapshot();
  });

  test.each(Object.entries(GAPS))("of undecided, %s", (_, gaps: readonly Gap[]) => {
    const lines = gaps.map((gap) => line(undecided(gap)));
    for (const text of lines) expectSpeech(text);
    expect([...new Set(lines)].join("\n")).toMatchSnapshot();
  });

  test("of a broker that fails has a sentence and a hint of its own for every way in which it does", () => {
    const named = FAILURES.filter(({ cause }) => cause !== "not-named");
    const lines = named.map((failure) => line(failed(failure), lost(failure)));
    for (const text of lines) {
      expectSpeech(text);
      expect(text).toMatch(
        /^unknown: broker-(unreachable|refused): .*redis:\/\/:\*\*\*@cache:6379\/0.*; hint: /,
      );
    }
    expect(new Set(lines.map((text) => text.replace(/: [A-Z]+ .*; hint/, "; hint"))).size).toBe(lines.length);
    expect(new Set(lines.map((text) => text.split("; hint: ")[1])).size).toBeGreaterThan(lines.length - 3);
    expect(lines.join("\n")).toMatchSnapshot();
  });

  const UNNAMED: Unnamed = { pid: 12, isSeen: true, url: null, lost: [], unread: null };
  const NOAUTH = { kind: "refused", cause: "password-needed", command: "CLIENT", detail: "NOAUTH" } as const;
  const NOWHERE = { kind: "unreachable", cause: "not-named", detail: "" } as const;
  const URL = "redis://:PASSWORD@10.0.0.9:6379/1";
  const unread = { user: 1000, ourUser: 0 };
  test.each<[string, BrokerFailure]>([
    ["", { ...NOWHERE, unnamed: UNNAMED }],
    [" and is lost", { ...NOWHERE, unnamed: { ...UNNAMED, lost: ["10.0.0.9:6379"] } }],
    [" and may not be looked at", { ...NOWHERE, unnamed: { ...UNNAMED, isSeen: false, unread } }],
    [
      " and has changed its user",
      { ...NOWHERE, unnamed: { ...UNNAMED, isSeen: false, unread: { user: 1000, ourUser: 1000 } } },
    ],
    [" and wants a password", { ...NOAUTH, unnamed: { ...UNNAMED, url: URL } }],
    [" and wants one that may not be read", { ...NOAUTH, unnamed: { ...UNNAMED, url: URL, unread } }],
    [
      " where no worker is in sight",
      { kind: "unreachable", cause: "connection-refused", detail: "", unnamed: { ...UNNAMED, pid: null } },
    ],
  ])("of a broker that nobody names%s", (_, failure) => {
    const text = line(failed(failure), lost(failure));
    expectSpeech(text);
    expect(text).toMatchSnapshot();
  });

  test("has all its words about a failed broker when address and detail are long", () => {
    const path = `/srv/${"folder/".repeat(584)}key.pem`;
    const url = `rediss://cache:6379/0?ssl_certfile=${path}`;
    for (const failure of FAILURES) {
      const long = brokerStatement(url, { ...failure, detail: `ssl_certfile (ENOENT): ${path}` });
      const short = brokerStatement("URL", { ...failure, detail: "ssl_certfile (ENOENT): PATH" });
      const words = long.fact.replace(/rediss:\S*…\S*key\.pem/, "URL").replace(/\S*…\S*key\.pem/, "PATH");
      expect(words).toBe(short.fact);
      expect(long.fact.length).toBeLessThan(400);
    }
  });

  test("says how often it was asked, and that the deadline cut it short, when it did", () => {
    const cut: Evidence = evidence({}, { asking: { ...ASKED, pings: 1, waitedMs: 850, cutShort: true } });
    const text = line(undecided({ ...far, because: "remote", subscribers: 1, heard: false }), cut);
    expect(text).toContain("no pong from celery@web-1 within 850 ms (1 ping, cut short by --deadline)");
  });

  test("names the others that answered when the verdict is one worker's", () => {
    const two = evidence(
      {},
      { nodes: [node(), node({ node: "b@x" })], asking: { ...ASKED, pongs: [pong("b@x")] } },
    );
    const gap: Gap = { kind: "unseen", ...about, because: "translated", established: null };
    const verdicts = [dead("none", null), busy("connections"), undecided(gap)];
    expect(verdicts.map((verdict) => line(verdict, two)).join("\n")).toMatchSnapshot();
  });

  test("adds what a rule makes of it", () => {
    const first = FAILURES[0];
    if (first === undefined) throw new Error("no failure");
    const unwritten = evidence(
      {},
      { stateFileProblem: "EROFS: read-only file system, open '/run/s.json.7'" },
    );
    const elsewhere = {
      kind: "unknown",
      because: "not-asked",
      established: null,
      elsewhere: [{ address: "10.0.0.9", port: 6380 }],
    } as const;
    const lines = [
      line(failed(first), lost(first), { isForgiven: true }),
      line(busy("not"), unwritten, {
        plan: { ...PLAN, stateFile: { path: "/run/s.json", state: null, obstacle: null } },
      }),
      line(dead("none", null), evidence({ process: NOBODY }), { plan: { ...PLAN, pidfile: "/run/w.pid" } }),
      line(alive(pong(NODE)), unwritten),
      line(failed(first), { ...lost(first), nodes: [node({ looks: looks(elsewhere) })] }),
    ];
    for (const text of lines) expectSpeech(text);
    expect(lines.join("\n")).toMatchSnapshot();
  });

  test.each<[string, number, readonly string[], boolean]>([
    ["10.0.0.9", 6379, ["10.0.0.9:6379"], false],
    ["10.0.0.9", 6379, ["10.0.0.8:6379"], true],
    ["10.0.0.9", 6379, ["10.0.0.9:6380"], true],
    ["10.0.0.9", 6379, ["fd00::9:6379"], true],
    // The other may hold its results.
    ["10.0.0.9", 6379, ["10.0.0.8:6379", "10.0.0.9:6379"], false],
    // Which address a name has is not known.
    ["cache", 6379, ["10.0.0.9:6379"], false],
    ["cache", 6379, ["10.0.0.9:6380"], true],
    // Neither is how an address is written that can be written otherwise.
    ["fd00::9", 6379, ["fd00::9:6379"], false],
    ["fd00:0::9", 6379, ["fd00::9:6379"], false],
    ["127.1", 6379, ["127.0.0.1:6379"], false],
    ["0.0.0.0", 6379, ["127.0.0.1:6379"], false],
    ["cache", 6379, [], false],
  ])(
    "about a failed broker at %s:%d and a worker at %j names the other broker: %s",
    (host, port, ends, isSaid) => {
      const elsewhere = ends.map((end) => {
        const colon = end.lastIndexOf(":");
        return { address: end.slice(0, colon), port: Number(end.slice(colon + 1)) };
      });
      const unasked = { kind: "unknown", because: "not-asked", established: null, elsewhere } as const;
      const failure: BrokerFailure = { kind: "unreachable", cause: "no-answer", detail: "1000 ms" };
      const server = { place: { kind: "tcp", host, port }, db: 0, tls: null } as const;
      const located = { kind: "servers", servers: [server] } as const;
      const plan = { ...PLAN, broker: { ...PLAN.broker, located } };
      const text = line(
        failed(failure),
        { ...lost(failure), nodes: [node({ looks: looks(unasked) })] },
        { plan },
      );
      expectSpeech(text);
      expect(text.includes("is connected to")).toBe(isSaid);
    },
  );

  test("says what was asked of the work and could not be seen, and changes no verdict", () => {
    const version = (told: string | null): Tasks => ({ kind: "risky", version: told });
    const unknown: readonly Tasks[] = [
      version(null),
      version("5.1.2"),
      { kind: "no-answer" },
      { kind: "over-bound", node: NODE, bound: "length", length: 5e6, most: 4_194_304 },
      { kind: "not-asked" },
    ];
    const rules = withWork({ requireConsuming: true, maxTaskAge: 60_000 });
    const lines = unknown.map((tasks) => {
      const nodes = [{ node: NODE, queues: ["celery"], consumed: null, tasks, held: null }];
      return line(
        alive(pong(NODE)),
        evidence({}, { work: { lengths: new Map(), nodes, ownerless: [] } }),
        rules,
      );
    });
    for (const text of lines) expectSpeech(text);
    expect(lines.join("\n")).toMatchSnapshot();
  });
});

const PROCESSES: readonly Exclude<ProcessSight, { kind: "unexamined" }>[] = [
  ...(["remote", "beside", "no-proc"] as const).map(
    (because) => ({ kind: "out-of-sight", because }) as const,
  ),
  NOBODY,
  ...(["worker", "heir", "fetcher", "listener", "hidden", "client", "stranger"] as const).map((shows) => ({
    ...NOBODY,
    suspect: sighted({ shows }),
  })),
  ...(["command", "title", "pidfile", "connections"] as const).map((foundBy) => ({ ...SEEN, foundBy })),
  { ...SEEN, pool: null },
];
const CONNECTIONS: readonly (Connections | null)[] = [
  null,
  known(rows({ flags: "b" })),
  {
    kind: "known",
    by: "address",
    closeWait: false,
    elsewhere: [],
    rows: Array.from({ length: 14 }, () => row()),
  },
  { kind: "none", closeWait: false, connecting: false, isAddressListed: false, elsewhere: [] },
  { kind: "none", closeWait: true, connecting: true, isAddressListed: false, elsewhere: endpoints },
  { kind: "unknown", because: "client-list-refused", established: true, elsewhere: [] },
  { kind: "unknown", because: "sockets-unreadable", established: null, elsewhere: [] },
];
const HEARINGS: readonly Hearing[] = [
  { kind: "not-listened" },
  { kind: "refused" },
  SILENCE,
  beating(),
  beating({ count: 1, active: 1, processed: null, version: null }),
];

describe("--verbose", () => {
  const below = (seen: Evidence, more: Partial<CheckReport> = {}) =>
    checkText(report(busy("connections"), seen, more), true).slice(1);

  test("adds what was seen below the line", () => {
    const more = { unknownVariables: ["CELERY_PROBE_TIMOUT"] };
    expect(checkText(report(busy("connections"), evidence(), more), true)).toMatchSnapshot();
  });

  test("says no more of a node than it was looked at", () => {
    const pongs = evidence(
      { process: { kind: "unexamined" }, looks: [] },
      { asking: { ...ASKED, pongs: [PONG] } },
    );
    expect(checkText(report(alive(pong(NODE)), pongs), true)).toMatchSnapshot();
  });

  test.each<[string, Asking]>([
    ["there was no time", { kind: "no-time" }],
    ["it was interrupted", { kind: "interrupted", signal: "SIGTERM" }],
    ["it crashed", { kind: "crashed", detail: "RangeError: no" }],
    ["the broker failed", { kind: "broker-failed", pings: 1, failure: FAILURES[4] ?? ({} as BrokerFailure) }],
  ])("says how far the asking came when %s", (_, asking) => {
    expect(below(evidence({}, { asking, nodes: [] }))).toMatchSnapshot();
  });

  test.each([
    ["any", { asked: { kind: "any", atLeast: 3 }, place: { kind: "out-of-sight", name: "remote" } }],
    ["beside", { place: { kind: "out-of-sight", name: "beside" } }],
    ["worker's broker", { broker: { ...PLAN.broker, origin: { kind: "worker", pid: 12, name: "-b" } } }],
  ] as const)("says who was asked, from where: %s", (_, changed) => {
    expect(
      below(evidence({}, { nodes: [] }), { plan: { ...PLAN, ...changed } }).slice(0, 3),
    ).toMatchSnapshot();
  });

  const linesOf = (nodes: readonly Partial<NodeEvidence>[], name: string) =>
    nodes.map((one) => below(evidence(one)).find((text) => text.startsWith(`  ${name}:`)));

  test("has words for everything seen of a process", () => {
    const states = [
      ...(["running", "stopped", "traced", "zombie"] as const).map((state) => processLook({ state })),
      processLook({ frozen: true }),
      processLook({ children: 1, ageMs: 90_000 }),
      null,
    ];
    const nodes = [
      ...PROCESSES.map((process) => ({ process })),
      ...states.map((look) => ({ looks: looks(null, look) })),
    ];
    expect(linesOf(nodes, "process")).toMatchSnapshot();
  });

  test("has words for everything seen of connections", () => {
    expect(
      linesOf(
        CONNECTIONS.map((connections) => ({ looks: [{ atMs: 9, process: processLook(), connections }] })),
        "connections",
      ),
    ).toMatchSnapshot();
  });

  test("has words for everything that was heard", () => {
    expect(
      linesOf(
        HEARINGS.map((heartbeats) => ({ heartbeats })),
        "heartbeats",
      ),
    ).toMatchSnapshot();
  });

  test("says by whom a worker was seen alive, and of which version that is", () => {
    expect(line(byServe(LIFE))).toBe(
      `healthy: alive: ${NODE} was seen alive by celery-probe serve on mon-1, 12 s ago`,
    );
    expect(line(byServe(LIFE, { ...LIFE, node: "b@x", ageS: 700, host: "mon-2" }))).toBe(
      `healthy: alive: 2 nodes (${NODE}, b@x) were seen alive by celery-probe serve on mon-1, mon-2, 12 min ago`,
    );
    expect(checkText(report(byServe(LIFE), shared(LIFE)), true).join("\n")).toMatchSnapshot();
  });

  test("says why what is shared was not taken, and on the line only what has to be changed", () => {
    const lines = NOT_TAKEN.map((notTaken) => below(evidence({}, { notTaken })));
    const rows = lines.flatMap((all) => all.filter((row) => row.startsWith("  shared:")));
    expect(rows).toMatchSnapshot();
    const hinted = NOT_TAKEN.filter((notTaken) =>
      line(alive(pong(NODE)), evidence({}, { notTaken })).includes("--accept-shared"),
    );
    expect(hinted).toEqual([REFUSED_TO_US]);
    const unreached = FAILURES.slice(0, 1).map((failure) =>
      line(failed(failure), { ...lost(failure), notTaken: REFUSED_TO_US }),
    );
    expect(unreached.join("")).not.toContain("--accept-shared");
  });

  test("names each node when there are several", () => {
    expect(
      below(evidence({}, { nodes: [node(), node({ node: "b@x", process: NOBODY, looks: [] })] })),
    ).toMatchSnapshot();
  });

  test("stays below what Docker keeps when a fleet answers", () => {
    const pongs = Array.from({ length: 5_000 }, (_, n) =>
      pong(`celery@worker-with-a-long-name-${n}.example.org`),
    );
    const fleet = report(alive(...pongs), evidence({}, { nodes: [], asking: { ...ASKED, pongs } }));
    expect(Buffer.byteLength(page(checkText(fleet, true)))).toBeLessThanOrEqual(4_096);
  });
});

describe("--output json", () => {
  const object = (...what: Parameters<typeof report>) =>
    JSON.parse(checkJson(report(...what))) as Record<string, unknown>;

  test("is one object on one line with the same words whatever the verdict", () => {
    const verdicts = [
      ...Object.values(VERDICTS).flat(),
      ...Object.values(GAPS).flat().map(undecided),
      ...FAILURES.map(failed),
    ];
    for (const verdict of verdicts) {
      const text = checkJson(report(verdict));
      expect(text.trimEnd()).not.toContain("\n");
      const { status, reason, message, hint } = JSON.parse(text) as Record<string, string | null>;
      const words = `${status}: ${reason}: ${message}${hint === null ? "" : `; hint: ${hint}`}`;
      expect(words).toBe(line(verdict));
    }
  });

  test.each<[string, Parameters<typeof report>]>([
    [
      "a worker that answers at once",
      [
        alive(pong(NODE)),
        evidence(
          { process: { kind: "unexamined" }, looks: [], heartbeats: { kind: "not-listened" } },
          { asking: { ...ASKED, pongs: [PONG] }, brokerUpS: null, unacked: null },
        ),
      ],
    ],
    ["a worker that was examined", [busy("connections"), evidence({ heartbeats: beating() })]],
    ["a worker that is gone", [dead("none", null), evidence({ process: NOBODY, looks: looks(null, null) })]],
    [
      "a worker whose connections cannot be seen",
      [
        undecided({ kind: "unseen", ...about, because: "translated", established: false }),
        evidence({
          looks: looks({ kind: "unknown", because: "translated", established: false, elsewhere: [] }),
        }),
      ],
    ],
    [
      "workers and their work",
      [
        { status: "unhealthy", reason: "backlog", queue: "mail", length: 7, limit: 5 },
        evidence(
          {},
          {
            nodes: [],
            work: {
              ownerless: ["mial"],
              lengths: new Map([
                ["mail", 7],
                ["lost", null],
              ]),
              nodes: [
                {
                  node: "a@x",
                  queues: ["mail"],
                  consumed: ["mail"],
                  tasks: { kind: "not-asked" },
                  held: null,
                },
                {
                  node: "b@x",
                  queues: ["mail"],
                  consumed: null,
                  tasks: { kind: "told", count: 2, oldest: { name: "t", id: "i", ageS: 9.5 } },
                  held: { kind: "told", deliveries: 8, mayBeHeld: 1, begun: null },
                },
                {
                  node: "c@x",
                  queues: [],
                  consumed: [],
                  tasks: { kind: "told", count: 0, oldest: null },
                  held: null,
                },
              ],
            },
          },
        ),
      ],
    ],
    ["no time", [undecided({ kind: "no-time" }), evidence({}, { asking: { kind: "no-time" }, nodes: [] })]],
    ["a worker that a serve saw alive", [byServe(LIFE), shared(LIFE)]],
    [
      "a worker without a shared verdict",
      [alive(pong(NODE)), evidence({}, { notTaken: { because: "missing", node: NODE, key: KEY } })],
    ],
    [
      "a worker with an old shared verdict",
      [alive(pong(NODE)), evidence({}, { notTaken: { because: "old", node: NODE, ageS: 62 } })],
    ],
    ["a broker that refuses shared verdicts", [alive(pong(NODE)), evidence({}, { notTaken: REFUSED_TO_US })]],
    [
      "an interruption",
      [
        undecided({ kind: "interrupted", signal: "SIGINT" }),
        evidence({}, { asking: { kind: "interrupted", signal: "SIGINT" }, nodes: [] }),
      ],
    ],
    [
      "a broker that refuses",
      [
        failed({ kind: "refused", cause: "loading", command: "TYPE", detail: "LOADING x\r\ny\u007f" }),
        lost({ kind: "refused", cause: "loading", command: "TYPE", detail: "LOADING x\r\ny\u007f" }),
      ],
    ],
  ])("has all fields of %s", (_, what) => {
    expect(object(...what)).toMatchSnapshot();
  });

  test("names the node that the verdict is about, or the one that was asked", () => {
    const two: CheckPlan = { ...PLAN, asked: { kind: "nodes", nodes: ["a@x", "b@x"] } };
    expect(object(alive(pong(NODE)))["node"]).toBe(NODE);
    expect(object({ ...dead("none", null), node: "b@x" } as Verdict, evidence(), { plan: two })["node"]).toBe(
      "b@x",
    );
    const gap: Gap = { kind: "importing", node: "b@x", pid: 12, ageMs: 5 };
    expect(object(undecided(gap), evidence(), { plan: two })["node"]).toBe("b@x");
    expect(object(alive(pong("a@x"), pong("b@x")), evidence(), { plan: two })["node"]).toBeNull();
  });

  test("stays below what Docker keeps when there is much evidence", () => {
    const name = (n: number) => `celery@worker-with-a-long-name-${n}.example.org`;
    const pongs = Array.from({ length: 5_000 }, (_, n) => pong(name(n)));
    const fleet = report(alive(...pongs), evidence({}, { nodes: [], asking: { ...ASKED, pongs } }));
    expect(Buffer.byteLength(checkJson(fleet))).toBeLessThan(4_096);
    const nodes = Array.from({ length: 300 }, (_, n) => node({ node: name(n), heartbeats: beating() }));
    const plan: CheckPlan = { ...PLAN, asked: { kind: "nodes", nodes: nodes.map((one) => one.node) } };
    const named = report(busy("connections"), evidence({}, { nodes }), { plan });
    expect(Buffer.byteLength(checkJson(named))).toBeLessThan(4_096);
  });
});

test("docs/reasons.md has exactly one section for each reason and a row for each cause and gap", () => {
  const reasons = [...Object.keys(VERDICTS), "broker-unreachable", "broker-refused", "undecided"];
  const text = readFileSync(join(import.meta.dirname, "../../docs/reasons.md"), "utf8");
  const sections = [...text.matchAll(/^## `([a-z-]+)`/gm)].map(([, name]) => name);
  const tabled = [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual(reasons.sort());
  expect(tabled.sort()).toEqual(
    [...Object.keys(UNREACHABLE), ...Object.keys(REFUSED), ...Object.keys(GAPS)].sort(),
  );
});
