import { describe, expect, test } from "vitest";
import type { ClientRow } from "../../src/broker/client-list.ts";
import type { Sighted } from "../../src/discovery/suspect.ts";
import type { Evidence, Hearing, NodeEvidence } from "../../src/health/evidence.ts";
import { conclude, judge } from "../../src/health/judge.ts";
import type { Judgement, Rules } from "../../src/health/judgement.ts";
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
} from "./seen.ts";

const lost = {
  kind: "broker-failed",
  failure: { kind: "unreachable", cause: "connection-refused", detail: "" },
  pings: 0,
} as const;
const refused = {
  kind: "broker-failed",
  failure: { kind: "refused", cause: "loading", command: "TYPE", detail: "" },
  pings: 0,
} as const;

const none = (changed: Partial<Extract<Connections, { kind: "none" }>> = {}): Connections => ({
  kind: "none",
  closeWait: false,
  connecting: false,
  isAddressListed: false,
  elsewhere: [],
  ...changed,
});
const unknown = (changed: Partial<Extract<Connections, { kind: "unknown" }>> = {}): Connections => ({
  kind: "unknown",
  because: "translated",
  established: true,
  elsewhere: [],
  ...changed,
});

const POLLS = known(rows({ flags: "b", idleS: 0 }, 0));
/** A loop that turns writes its heartbeats: only the BRPOP grows old. */
const PAUSED = known(rows({ idleS: 90 }, 1));
/** Nothing is read any more: its BRPOP grows old, and no subscription is left. */
const MUTE = known([row({ id: 1, command: "brpop", idleS: 90 }), row({ id: 3, idleS: 1 })]);
const NO_BRPOP = known(rows(null, 1));
const hung = { ...SEEN, graceMs: 60_000 };
const pongs = { asking: { ...ASKED, pongs: [PONG] } };
const nobodySubscribed = { asking: { ...ASKED, subscribers: 0 } };
const elsewhere = [{ address: "10.0.0.9", port: 6379 }];
const afar = (because: "remote" | "beside" | "no-proc"): NodeEvidence["process"] => ({
  kind: "out-of-sight",
  because,
});
const refusedToListen: Hearing = { kind: "refused" };

function words(judgement: Judgement): string {
  if (judgement.status === "open") return `open ${judgement.wanted}`;
  const detail = judgement.reason === "undecided" ? ` ${judgement.gap.kind}` : "";
  return `${judgement.status} ${judgement.reason}${detail}`;
}

type Row = readonly [
  title: string,
  one: Partial<NodeEvidence>,
  rest: Partial<Evidence>,
  verdict: string,
  rules?: Partial<Rules>,
];

function decides(table: readonly Row[]): void {
  for (const [title, one, rest, verdict, rules = {}] of table) {
    test(title, () => {
      expect(words(judge(evidence(one, rest), { ...RULES, ...rules }))).toBe(verdict);
    });
  }
}

describe("a node that answered", () => {
  const stopped = processLook({ state: "stopped" });
  decides([
    ["is alive without a look", { process: { kind: "unexamined" }, looks: [] }, pongs, "healthy alive"],
    ["is alive when its process is out of sight", { process: afar("remote") }, pongs, "healthy alive"],
    ["is alive beside us", { process: afar("beside") }, pongs, "healthy alive"],
    ["is alive when no process here is known to be it", { process: NOBODY }, pongs, "healthy alive"],
    ["is alive whatever its connections look like", { looks: looks(none()) }, pongs, "healthy alive"],
    [
      "is stopped when its process is: another one of the name answered",
      { looks: looks(null, stopped) },
      pongs,
      "unhealthy stopped",
    ],
    [
      "is looked at again when its process was stopped once",
      { looks: looks(null, stopped).slice(0, 1) },
      pongs,
      "open second-look",
    ],
  ]);
});

describe("a process", () => {
  const state = (changed: Parameters<typeof processLook>[0]) => ({
    looks: looks(PAUSED, processLook(changed)),
  });
  decides([
    ["that is not there is dead", { process: NOBODY }, {}, "unhealthy dead"],
    ["that is a zombie is dead", { process: { ...NOBODY, zombie: 12 } }, {}, "unhealthy dead"],
    ["that became a zombie is dead", state({ state: "zombie" }), {}, "unhealthy dead"],
    ["that went away is dead", { looks: looks(PAUSED, null) }, {}, "unhealthy dead"],
    [
      "that is not there is dead while others are subscribed",
      { process: NOBODY },
      { asking: { ...ASKED, subscribers: 3 } },
      "unhealthy dead",
    ],
    ["that is stopped is stopped", state({ state: "stopped" }), {}, "unhealthy stopped"],
    ["that is frozen is stopped", state({ frozen: true }), {}, "unhealthy stopped"],
    ["that a debugger holds is not stopped", state({ state: "traced" }), {}, "healthy busy"],
    [
      "that is not there is waited for while somebody may answer",
      { process: NOBODY },
      { asking: { ...ASKED, waitedMs: 900, over: false } },
      "open pong",
    ],
    [
      "that is not there is dead at once when nobody is subscribed",
      { process: NOBODY },
      { asking: { ...ASKED, subscribers: 0, waitedMs: 130 } },
      "unhealthy dead",
    ],
    [
      "that is not there is looked for twice",
      { process: NOBODY, looks: looks(null, null).slice(0, 1) },
      {},
      "open second-look",
    ],
    [
      "that is stopped in one look only is looked at again",
      { looks: looks(PAUSED, processLook({ state: "stopped" })).slice(0, 1) },
      {},
      "open second-look",
    ],
    [
      "that ran for two seconds and is stopped in the last look only is looked at again",
      { looks: [...looks(PAUSED).slice(0, 2), ...looks(PAUSED, processLook({ state: "stopped" })).slice(2)] },
      {},
      "open second-look",
    ],
    [
      "that was stopped and goes on is not stopped",
      { looks: [...looks(PAUSED, processLook({ state: "stopped" })).slice(0, 2), ...looks(PAUSED).slice(2)] },
      {},
      "healthy busy",
    ],
  ]);

  test("names the zombie and how it ended", () => {
    const zombie = evidence({ process: { ...NOBODY, zombie: 12 } });
    expect(judge(zombie, RULES)).toMatchObject({ how: "remains", pid: 12, node: NODE });
    expect(judge(evidence({ looks: looks(null, null) }), RULES)).toMatchObject({ how: "ended", pid: 12 });
  });
});

describe("no process that is known, and a program that may be the worker", () => {
  const suspect = sighted({});
  const possible = { ...NOBODY, suspect };
  const showing = (shows: Sighted["shows"], more: Partial<Sighted> = {}) => ({
    process: { ...NOBODY, suspect: { ...suspect, shows, ...more } },
  });
  decides([
    [
      "is undecided while its connections may be yet to come",
      { process: possible },
      { brokerUpS: 20 },
      "unknown undecided unrecognised",
    ],
    [
      "is undecided when nobody knows how long the broker has been up",
      { process: possible },
      { brokerUpS: null },
      "unknown undecided unrecognised",
    ],
    ...(["worker", "heir", "fetcher", "hidden"] as const).map((shows): Row => [
      `is undecided when it may be it by its connections: ${shows}`,
      showing(shows),
      {},
      "unknown undecided unrecognised",
    ]),
    [
      "is listened to when it may be it, as its heartbeats would name it",
      { ...showing("worker"), heartbeats: { ...SILENCE, forMs: 900 } },
      {},
      "open heartbeat",
    ],
    [
      "is listened to when it listens and does not fetch",
      { ...showing("listener"), heartbeats: { ...SILENCE, forMs: 900 } },
      {},
      "open heartbeat",
    ],
    ["is dead when it listens, does not fetch and is not heard", showing("listener"), {}, "unhealthy dead"],
    ["is dead when it is connected for something else", showing("client"), {}, "unhealthy dead"],
    [
      "is undecided when it is connected for something else and young",
      showing("client", { ageMs: 8_000 }),
      {},
      "unknown undecided unrecognised",
    ],
    [
      "is dead when it is connected for something else, young, and a server",
      showing("client", { ageMs: 8_000, serves: true }),
      {},
      "unhealthy dead",
    ],
    [
      "is undecided when it is younger than a minute",
      showing("stranger", { ageMs: 8_000 }),
      {},
      "unknown undecided unrecognised",
    ],
    ["is dead when its connections would show it", { process: possible }, {}, "unhealthy dead"],
    [
      "is the broker's failure when that cannot be asked",
      { process: possible },
      { asking: lost },
      "unknown broker-unreachable",
    ],
  ]);
});

describe("a node of a name that no worker here has", () => {
  const others = { ...NOBODY, others: ["celery@other"] };
  decides([
    ["is undecided: it has another name", { process: others }, {}, "unknown undecided misnamed"],
    [
      "is dead when the names asked are in use here",
      { process: { ...others, namesInUse: true } },
      {},
      "unhealthy dead",
    ],
    [
      "is the broker's failure when that cannot be asked",
      { process: others },
      { asking: lost },
      "unknown broker-unreachable",
    ],
  ]);
});

describe("a process that runs, and a broker that fails", () => {
  const stopped = { looks: looks(null, processLook({ state: "stopped" })) };
  decides([
    ["is broker-unreachable", { looks: looks(null) }, { asking: lost }, "unknown broker-unreachable"],
    ["is broker-refused", { looks: looks(null) }, { asking: refused }, "unknown broker-refused"],
    ["is still stopped", stopped, { asking: lost }, "unhealthy stopped"],
    ["is still dead when it is gone", { process: NOBODY }, { asking: lost }, "unhealthy dead"],
    ["is looked at twice", { looks: looks(null).slice(0, 1) }, { asking: lost }, "open second-look"],
    [
      "is broker-unreachable when it is out of sight",
      { process: afar("remote"), looks: [] },
      { asking: lost },
      "unknown broker-unreachable",
    ],
    [
      "is broker-unreachable when nobody looked",
      { process: { kind: "unexamined" }, looks: [] },
      { asking: lost },
      "unknown broker-unreachable",
    ],
  ]);
});

describe("a process without a connection", () => {
  const young = (ageMs: number, connections = none()) => ({
    looks: looks(connections, processLook({ ageMs })),
  });
  decides([
    [
      "is disconnected when broker and process are older than a minute",
      { looks: looks(none()) },
      {},
      "unhealthy disconnected",
    ],
    [
      "is undecided while the broker is younger than a minute",
      { looks: looks(none()) },
      { brokerUpS: 59 },
      "unknown undecided reconnecting",
    ],
    [
      "is undecided when nobody knows how long the broker has been up",
      { looks: looks(none()) },
      { brokerUpS: null },
      "unknown undecided reconnecting",
    ],
    [
      "is undecided while it is connecting",
      { looks: looks(none({ connecting: true })) },
      {},
      "unknown undecided reconnecting",
    ],
    ["is undecided while it is younger than a minute", young(8_000), {}, "unknown undecided importing"],
    ["is starting within its start grace", young(8_000), {}, "healthy starting", { startGraceMs: 30_000 }],
    [
      "is disconnected after its start grace",
      young(61_000),
      {},
      "unhealthy disconnected",
      { startGraceMs: 30_000 },
    ],
    [
      "is undecided when it is connected elsewhere",
      { looks: looks(none({ elsewhere })) },
      {},
      "unknown undecided elsewhere",
    ],
    [
      "is undecided when it is connected elsewhere and the broker is young",
      { looks: looks(none({ elsewhere })) },
      { brokerUpS: 20 },
      "unknown undecided elsewhere",
    ],
    [
      "is undecided when it is connected elsewhere and its master has long been one",
      { looks: looks(none({ elsewhere })) },
      { masterForS: 8_000 },
      "unknown undecided elsewhere",
    ],
    [
      "is reconnecting when its master is young: elsewhere are the Sentinels and the master that was",
      { looks: looks(none({ elsewhere })) },
      { brokerUpS: 20, masterForS: 8 },
      "unknown undecided reconnecting",
    ],
    [
      "is busy when it has not noticed that it was cut off, for nobody knows how long",
      { looks: looks(none({ closeWait: true })) },
      { brokerUpS: 90_000 },
      "healthy busy",
    ],
    [
      "is busy even when the broker was restarted long ago: it may have been connected since",
      { looks: looks(none({ closeWait: true })) },
      { brokerUpS: 301 },
      "healthy busy",
    ],
    [
      "is hung when the state file has known that for longer than its grace",
      { looks: looks(none({ closeWait: true })), silentSinceS: 301 },
      {},
      "unhealthy hung",
    ],
    [
      "is undecided when it has been importing for longer than a minute",
      { looks: looks(none(), processLook({ handlesSignals: false, children: 0 })) },
      {},
      "unknown undecided importing",
    ],
    ["is looked at again after a second", { looks: looks(none()).slice(0, 2) }, {}, "open second-look"],
    [
      "is looked at again when it had one before",
      { looks: [...looks(PAUSED).slice(0, 2), ...looks(none()).slice(2)] },
      {},
      "open second-look",
    ],
  ]);
});

describe("a process with connections, whose main loop is silent", () => {
  const switching = (more: number, connections: Connections) =>
    looks(connections).map((look, position) => ({
      ...look,
      process: processLook({ voluntarySwitches: 5 + more * position }),
    }));
  const mute = known([row({ id: 1, command: "brpop", idleS: 90 }), row({ id: 3, idleS: 90 })]);
  const untold = { ...hung, beats: false };
  const cut = (list: readonly ClientRow[]): Connections => ({
    kind: "known",
    by: "socket",
    rows: list,
    closeWait: true,
    elsewhere: [],
  });
  /** A task waits by it. */
  const tasks = row({ id: 9, command: "brpop", flags: "b", idleS: 30 });
  const asleep = (
    [
      [300, 86],
      [4_600, 90],
    ] as const
  ).map(([atMs, idleS]) => ({
    atMs,
    process: processLook(),
    connections: known([row({ id: 1, command: "brpop", idleS }), row({ id: 3, idleS })]),
  }));
  const fresh = looks(known(rows({ idleS: 2 }, 2)));
  decides([
    ["is busy within the grace", {}, {}, "healthy busy"],
    [
      "is busy for nobody knows how long when only subscriptions are left",
      { process: hung, looks: looks(known(rows({}).filter((one) => one.subscriptions > 0))) },
      {},
      "healthy busy",
    ],
    [
      "is hung when its sockets could not be read in time in the last look",
      {
        process: hung,
        looks: [
          ...looks(known(rows({}))),
          { atMs: 4_900, process: processLook(), connections: unknown({ because: "too-many-sockets" }) },
        ],
      },
      {},
      "unhealthy hung",
    ],
    [
      "is hung when the broker has closed some of its connections, but not the one for heartbeats",
      { process: hung, looks: looks(cut(rows({}))) },
      {},
      "unhealthy hung",
    ],
    [
      "is hung when the broker has closed the one for heartbeats, and it runs its tasks itself",
      { process: { ...hung, pool: "solo" }, looks: looks(cut(rows({}).filter(({ id }) => id !== 3))) },
      {},
      "unhealthy hung",
    ],
    [
      "is busy for an unknown time when the broker has closed the one for heartbeats: it may be full",
      { process: { ...hung, pool: "gevent" }, looks: looks(cut(rows({}).filter(({ id }) => id !== 3))) },
      {},
      "healthy busy",
    ],
    [
      "is busy when the waiting BRPOP belongs to its task",
      { process: hung, looks: looks(known([...rows({}, 30), tasks])) },
      {},
      "healthy busy",
    ],
    [
      "is hung when the waiting BRPOP belongs to its task for too long",
      { process: hung, looks: looks(known([...rows({}), tasks])) },
      {},
      "unhealthy hung",
    ],
    [
      "is listened to when the waiting BRPOP may belong to its task",
      {
        looks: looks(known([...rows({}, 2), { ...tasks, idleS: 0 }])),
        heartbeats: { ...SILENCE, forMs: 900 },
      },
      {},
      "open heartbeat",
    ],
    ["is stopping when it has given up its subscriptions", { looks: looks(mute) }, {}, "healthy stopping"],
    [
      "is not stopping when the broker has closed its subscriptions",
      { looks: looks(cut(rows({}).filter((one) => one.subscriptions === 0))) },
      {},
      "healthy busy",
    ],
    [
      "is hung when it has been stopping for too long",
      { process: hung, looks: looks(mute) },
      {},
      "unhealthy hung",
    ],
    [
      "is catatonic when it tells nobody anything, its queue waits and nobody is full, though its main thread wakes",
      { process: untold, looks: switching(1, mute), waiting: 3 },
      {},
      "unhealthy catatonic",
    ],
    [
      "is catatonic in the same state when its main thread sleeps",
      { process: untold, looks: switching(0, mute), waiting: 3 },
      {},
      "unhealthy catatonic",
    ],
    [
      "is deaf when its queue waits and somebody has unacknowledged deliveries: it may be full",
      { process: untold, looks: switching(1, mute), waiting: 3 },
      { unacked: 1 },
      "healthy deaf",
    ],
    [
      "is deaf when its queue is not known to wait",
      { process: untold, looks: switching(1, mute), waiting: 0 },
      {},
      "healthy deaf",
    ],
    [
      "is busy before the grace is over, whatever waits",
      { process: { ...untold, graceMs: 300_000 }, looks: switching(1, mute), waiting: 3 },
      {},
      "healthy busy",
    ],
    [
      "is undecided when nothing of it fetches or listens here",
      { looks: looks(known([row({ idleS: 90 })])) },
      {},
      "unknown undecided elsewhere",
    ],
    [
      "is busy when nothing of it fetches or listens here because the broker has closed that",
      {
        process: hung,
        looks: looks({
          kind: "known",
          by: "socket",
          rows: [row({ idleS: 90 })],
          closeWait: true,
          elsewhere: [],
        }),
      },
      {},
      "healthy busy",
    ],
    [
      "is hung when its main thread wakes and it has no child: it may run the tasks itself",
      {
        process: hung,
        looks: switching(1, known(rows({}).filter(({ id }) => id !== 4))).map((look) => ({
          ...look,
          process: { ...look.process, children: 0 },
        })),
      },
      {},
      "unhealthy hung",
    ],
    [
      "is looked at again when its BRPOP waits, though nothing has come of it for long",
      {
        looks: looks(known(rows({ flags: "b", idleS: 8 }, 8))).slice(0, 2),
        heartbeats: { kind: "not-listened" },
      },
      {},
      "open second-look",
    ],
    [
      "is listened to before that is said",
      { looks: looks(known([row({ idleS: 90 })])), heartbeats: { ...SILENCE, forMs: 900 } },
      {},
      "open heartbeat",
    ],
    [
      "is deaf when it hears only gossip and its main thread, which runs no task, wakes",
      { process: hung, looks: switching(1, known(rows({}).filter(({ id }) => id !== 4))) },
      {},
      "healthy deaf",
    ],
    [
      "is hung when it hears only gossip and its main thread runs the tasks",
      {
        process: { ...hung, pool: "solo" },
        looks: switching(1, known(rows({}).filter(({ id }) => id !== 4))),
      },
      {},
      "unhealthy hung",
    ],
    [
      "is busy at once when the silence is long",
      { looks: looks(known(rows({}))).slice(0, 2), heartbeats: { kind: "not-listened" } },
      { asking: { ...ASKED, over: false } },
      "healthy busy",
    ],
    ["is hung after the grace", { process: hung }, {}, "unhealthy hung"],
    [
      "is not hung before its answer has been waited for",
      { process: hung },
      { asking: { ...ASKED, over: false } },
      "open pong",
    ],
    ["is unhealthy when --strict is given", {}, {}, "unhealthy busy", { strict: true }],
    [
      "is busy after a short silence once its heartbeats were listened for",
      { looks: fresh },
      {},
      "healthy busy",
    ],
    [
      "is listened to when its silence is short",
      { looks: fresh, heartbeats: { ...SILENCE, forMs: 2_900 } },
      {},
      "open heartbeat",
    ],
    ["is looked at again when its silence is short", { looks: fresh.slice(0, 2) }, {}, "open second-look"],
    [
      "is listened to first when nobody has",
      { looks: fresh, heartbeats: { kind: "not-listened" } },
      {},
      "open heartbeat",
    ],
    [
      "is deaf instead of hung when it tells nobody anything and its main thread wakes",
      { process: untold, looks: switching(1, mute) },
      {},
      "healthy deaf",
    ],
    [
      "is looked at for longer when it tells nobody anything and its main thread has not woken",
      { process: untold, looks: switching(0, mute) },
      {},
      "open second-look",
    ],
    [
      "is deaf when it tells nobody anything and its main thread waits for events",
      {
        process: untold,
        looks: looks(mute, processLook({ waitsForEvents: true })),
      },
      {},
      "healthy deaf",
    ],
    [
      "is hung when it tells nobody anything and its main thread sleeps for long",
      { process: untold, looks: asleep },
      {},
      "unhealthy hung",
    ],
    [
      "is hung when it has a subscription and sends heartbeats that do not arrive, though its main thread wakes",
      { process: hung, looks: switching(1, known(rows({}))) },
      {},
      "unhealthy hung",
    ],
    [
      "is deaf when it has a subscription and sends no heartbeats, and its main thread wakes",
      { process: { ...hung, beats: false }, looks: switching(1, known(rows({}))) },
      {},
      "healthy deaf",
    ],
  ]);

  test("is silent for as long as its youngest connection that nobody else writes to", () => {
    expect(judge(evidence({ looks: looks(known(rows({ idleS: 90 }, 74))) }), RULES)).toMatchObject({
      reason: "busy",
      forS: 74,
      measured: "connections",
    });
  });
});

describe("a process that only its connections show to be a worker", () => {
  const process = { ...SEEN, foundBy: "connections" } as const;
  const nobodySubscribed = { asking: { ...ASKED, subscribers: 0 } };
  decides([
    ["is busy when it is silent and somebody can be asked", { process }, {}, "healthy busy"],
    [
      "is undecided when it is silent and nobody can be asked: it is another program",
      { process },
      nobodySubscribed,
      "unknown undecided unrecognised",
    ],
    [
      "is undecided when it is silent and has one subscription: those who can be asked are others",
      { process, looks: looks(known(rows({}).filter(({ id }) => id !== 4))) },
      {},
      "unknown undecided unrecognised",
    ],
    [
      "is deaf when its heartbeats are heard",
      { process, looks: looks(POLLS), heartbeats: beating() },
      nobodySubscribed,
      "healthy deaf",
    ],
    [
      "is undecided when it polls and sends no heartbeats",
      { process, looks: looks(POLLS) },
      {},
      "unknown undecided unrecognised",
    ],
    [
      "is listened to before that is said",
      { process, looks: looks(POLLS), heartbeats: { ...SILENCE, forMs: 900 } },
      {},
      "open heartbeat",
    ],
  ]);
});

describe("a process with connections, whose main loop turns", () => {
  const early = { asking: { ...ASKED, over: false } };
  const again = [300, 420, 2_650].map((atMs, position) => ({
    atMs,
    process: processLook(),
    connections: known(rows({ flags: "N", idleS: position === 2 ? 0 : 1, ageS: 3_600 + 2 * position }, 0)),
  }));
  decides([
    ["is deaf when its BRPOP waits", { looks: looks(POLLS) }, {}, "healthy deaf"],
    ["is deaf when its BRPOP is sent anew", { looks: again }, {}, "healthy deaf"],
    [
      "is deaf when nobody is subscribed and its BRPOP waits",
      { looks: looks(POLLS) },
      nobodySubscribed,
      "healthy deaf",
    ],
    ["is unhealthy when --strict is given", { looks: looks(POLLS) }, {}, "unhealthy deaf", { strict: true }],
    [
      "is listened to first: it may have another prefix",
      { looks: looks(POLLS), heartbeats: { ...SILENCE, forMs: 2_900 } },
      nobodySubscribed,
      "open heartbeat",
    ],
    [
      "is deaf as soon as it is heard",
      { looks: looks(POLLS), heartbeats: { ...beating(), forMs: 900 } },
      nobodySubscribed,
      "healthy deaf",
    ],
    ["is not called deaf before its answer has been waited for", { looks: looks(POLLS) }, early, "open pong"],
    [
      "is looked at again: one BRPOP that waits may be a second old",
      { looks: looks(POLLS).slice(0, 2) },
      {},
      "open second-look",
    ],
    [
      "is deaf when its heartbeats show running tasks",
      { looks: looks(PAUSED), heartbeats: beating({ active: 2 }) },
      {},
      "healthy deaf",
    ],
    [
      "is deaf when its heartbeats do not tell of tasks",
      { looks: looks(PAUSED), heartbeats: beating({ active: null }) },
      {},
      "healthy deaf",
    ],
    [
      "is catatonic when its heartbeats come, no task runs and it does not fetch",
      { looks: looks(PAUSED), heartbeats: beating() },
      {},
      "unhealthy catatonic",
    ],
    [
      "is catatonic when no BRPOP connection is left",
      { looks: looks(NO_BRPOP), heartbeats: beating() },
      nobodySubscribed,
      "unhealthy catatonic",
    ],
    [
      "is catatonic without a BRPOP connection, even when deliveries are held",
      { looks: looks(NO_BRPOP), heartbeats: beating() },
      { unacked: 40 },
      "unhealthy catatonic",
    ],
    [
      "is undecided when it may be full of tasks that wait for their time",
      { looks: looks(PAUSED), heartbeats: beating() },
      { unacked: 2 },
      "unknown undecided deaf-or-catatonic",
    ],
    [
      "is undecided when nobody knows what is delivered",
      { looks: looks(PAUSED), heartbeats: beating() },
      { unacked: null },
      "unknown undecided deaf-or-catatonic",
    ],
    [
      "is catatonic when it hears nobody, whatever its heartbeats count",
      { looks: looks(MUTE), heartbeats: beating({ active: 2 }) },
      { unacked: 40 },
      "unhealthy catatonic",
    ],
    [
      "is stopping when it hears nobody because it finishes its tasks and ends",
      { process: { ...SEEN, pool: "gevent" }, looks: looks(MUTE), heartbeats: beating({ active: 2 }) },
      {},
      "healthy stopping",
    ],
    [
      "is looked at for two seconds when it hears nobody",
      { looks: looks(MUTE).slice(0, 2), heartbeats: beating({ active: 2 }) },
      nobodySubscribed,
      "open second-look",
    ],
    [
      "is deaf when it has only just ceased to hear anybody",
      { looks: [...looks(PAUSED).slice(0, 2), ...looks(MUTE).slice(2)], heartbeats: beating({ active: 2 }) },
      {},
      "healthy deaf",
    ],
    [
      "is deaf when it hears nobody because it does not gossip",
      { process: { ...SEEN, gossips: false }, looks: looks(MUTE), heartbeats: beating({ active: 2 }) },
      {},
      "healthy deaf",
    ],
    [
      "is not catatonic before its answer has been waited for",
      { looks: looks(PAUSED), heartbeats: beating() },
      early,
      "open pong",
    ],
    [
      "is looked at for two seconds before it is catatonic",
      { looks: looks(PAUSED).slice(0, 2), heartbeats: beating() },
      {},
      "open second-look",
    ],
    [
      "is undecided when its connections use another database",
      { looks: looks(known(rows({ flags: "b" }).map((one) => ({ ...one, db: 3 })))) },
      {},
      "unknown undecided other-database",
    ],
    [
      "is reconnecting when it polls and nobody listens, and its master is a new one",
      { looks: looks(POLLS) },
      { masterForS: 8, asking: { ...ASKED, subscribers: 0 } },
      "unknown undecided reconnecting",
    ],
    [
      "is deaf when it polls and nobody listens, and its master has long been one",
      { looks: looks(POLLS), heartbeats: beating() },
      { masterForS: 80, asking: { ...ASKED, subscribers: 0 } },
      "healthy deaf",
    ],
    [
      "is undecided when its heartbeats have another prefix",
      { looks: looks(POLLS), heartbeats: beating({ whence: { kind: "other-prefix", prefix: "gp:" } }) },
      nobodySubscribed,
      "unknown undecided other-prefix",
    ],
    [
      "is undecided when its heartbeats have another fanout prefix",
      {
        looks: looks(POLLS),
        heartbeats: beating({ whence: { kind: "other-fanout-prefix", fanoutPrefix: "/app1." } }),
      },
      nobodySubscribed,
      "unknown undecided other-fanout-prefix",
    ],
    [
      "is undecided when its process beats under another name",
      { looks: looks(POLLS), heartbeats: { ...SILENCE, namesake: "celery@w2" } },
      {},
      "unknown undecided misnamed",
    ],
    [
      "is deaf when a process of its number beats elsewhere, and it beats too",
      { looks: looks(POLLS), heartbeats: { ...beating(), namesake: "celery@w2" } },
      {},
      "healthy deaf",
    ],
  ]);

  test("has not fetched for as long as its youngest BRPOP", () => {
    const two = known([...rows({ idleS: 300 }, 1), row({ command: "brpop", idleS: 70 })]);
    const ceased = evidence({ looks: looks(two), heartbeats: beating() });
    expect(judge(ceased, RULES)).toMatchObject({ reason: "catatonic", pausedS: 70 });
  });

  test("is silent, even when another one beats with the number of its process", () => {
    const blocked = evidence({ heartbeats: { ...SILENCE, namesake: "celery@w2" } });
    expect(words(judge(blocked, RULES))).toBe("healthy busy");
  });
});

describe("a process whose connections are not known", () => {
  const hidden = (changed = {}) => ({ looks: looks(unknown(changed)) });
  const young = { looks: looks(unknown({ established: false }), processLook({ ageMs: 8_000 })) };
  decides([
    [
      "is deaf when its heartbeats come and somebody is subscribed",
      { ...hidden(), heartbeats: beating() },
      {},
      "healthy deaf",
    ],
    [
      "is undecided when its heartbeats come and nobody is subscribed",
      { ...hidden(), heartbeats: beating() },
      nobodySubscribed,
      "unknown undecided deaf-or-catatonic",
    ],
    [
      "is undecided when its heartbeats have another prefix",
      { ...hidden(), heartbeats: beating({ whence: { kind: "other-prefix", prefix: "gp:" } }) },
      {},
      "unknown undecided other-prefix",
    ],
    ["is busy when it is connected to the broker and says nothing", hidden(), {}, "healthy busy"],
    [
      "is hung when the state file has known that for longer than the grace",
      { ...hidden(), silentSinceS: 301 },
      {},
      "unhealthy hung",
    ],
    [
      "is busy when the state file has known that for less",
      { ...hidden(), silentSinceS: 299 },
      {},
      "healthy busy",
    ],
    [
      "is undecided when it is not connected to the broker",
      hidden({ established: false }),
      {},
      "unknown undecided unseen",
    ],
    [
      "is undecided when not even that can be seen",
      hidden({ established: null }),
      {},
      "unknown undecided unseen",
    ],
    [
      "is undecided when it is connected elsewhere",
      hidden({ established: false, elsewhere }),
      {},
      "unknown undecided elsewhere",
    ],
    ["is starting within its start grace", young, {}, "healthy starting", { startGraceMs: 30_000 }],
    [
      "is busy within its start grace when it is connected to the broker",
      { looks: looks(unknown(), processLook({ ageMs: 8_000 })) },
      {},
      "healthy busy",
      { startGraceMs: 30_000 },
    ],
    [
      "is listened to for three seconds",
      { ...hidden(), heartbeats: { ...SILENCE, forMs: 2_900 } },
      {},
      "open heartbeat",
    ],
    ["is waited for", hidden(), { asking: { ...ASKED, over: false } }, "open pong"],
    [
      "is undecided when the broker refuses to tell and to be listened to",
      {
        ...hidden({ established: false, because: "client-list-refused" }),
        heartbeats: refusedToListen,
        looks: longLooks(),
      },
      {},
      "unknown undecided unseen",
    ],
  ]);

  test("is busy for nobody knows how long, or for as long as the state file knows", () => {
    expect(judge(evidence(hidden()), RULES)).toMatchObject({ measured: "not", forS: 0 });
    expect(judge(evidence({ ...hidden(), silentSinceS: 40 }), RULES)).toMatchObject({
      measured: "state-file",
      forS: 40,
    });
  });
});

function longLooks() {
  return [300, 420, 3_700].map((atMs) => ({
    atMs,
    process: processLook(),
    connections: unknown({ established: false, because: "client-list-refused" }),
  }));
}

describe("a node out of sight", () => {
  const remote = { process: afar("remote"), looks: [] };
  decides([
    [
      "is deaf when its heartbeats come and somebody is subscribed",
      { ...remote, heartbeats: beating() },
      {},
      "healthy deaf",
    ],
    [
      "is undecided when its heartbeats come and nobody is subscribed",
      { ...remote, heartbeats: beating() },
      nobodySubscribed,
      "unknown undecided out-of-sight",
    ],
    [
      "is undecided when its heartbeats come by a channel of all databases: one of its name may send them elsewhere",
      { ...remote, heartbeats: beating() },
      { asking: { ...ASKED, via: { ...ASKED.via, channel: "/{db}.celery.pidbox" } } },
      "unknown undecided out-of-sight",
    ],
    [
      "is deaf when its heartbeats come by a channel of one database",
      { ...remote, heartbeats: beating() },
      { asking: { ...ASKED, via: { ...ASKED.via, channel: "/app.0.celery.pidbox" } } },
      "healthy deaf",
      { naming: { ...RULES.naming, fanoutPrefix: "/app.{db}." } },
    ],
    [
      "is undecided when its heartbeats come and no database is named in channels",
      { ...remote, heartbeats: beating() },
      { asking: { ...ASKED, via: { ...ASKED.via, channel: "celery.pidbox" } } },
      "unknown undecided out-of-sight",
      { naming: { ...RULES.naming, fanoutPrefix: "" } },
    ],
    ["is undecided when nothing is heard", remote, {}, "unknown undecided out-of-sight"],
    [
      "is undecided when nobody may listen",
      { ...remote, heartbeats: refusedToListen },
      {},
      "unknown undecided out-of-sight",
    ],
    [
      "is listened to for three seconds",
      { ...remote, heartbeats: { ...SILENCE, forMs: 2_000 } },
      {},
      "open heartbeat",
    ],
    ["is waited for", remote, { asking: { ...ASKED, over: false } }, "open pong"],
    [
      "is undecided beside us, whatever is heard",
      { process: afar("beside"), looks: [], heartbeats: beating() },
      {},
      "unknown undecided out-of-sight",
    ],
    [
      "is undecided where processes are hidden",
      { process: afar("no-proc"), looks: [] },
      {},
      "unknown undecided out-of-sight",
    ],
  ]);
});

describe("several nodes", () => {
  const both = { asked: { kind: "nodes", nodes: [NODE, "b@x"] } } as const;
  const second = (changed: Partial<NodeEvidence>) => ({ nodes: [node(), node({ node: "b@x", ...changed })] });
  const answered = { asking: { ...ASKED, pongs: [PONG, { ...PONG, node: "b@x" }] } };
  decides([
    ["are alive when both answered", {}, { ...second({}), ...answered }, "healthy alive", both],
    ["are busy when one answered and one is busy", {}, { ...second({}), ...pongs }, "healthy busy", both],
    ["are dead when one is", {}, second({ process: NOBODY }), "unhealthy dead", both],
    ["are hung when one is", {}, second({ process: hung }), "unhealthy hung", both],
    [
      "are undecided when one is and the other is busy",
      {},
      second({ process: afar("remote") }),
      "unknown undecided out-of-sight",
      both,
    ],
    [
      "are dead at once, whatever the other still wants",
      {},
      { nodes: [node({ heartbeats: SILENCE, looks: [] }), node({ node: "b@x", process: NOBODY })] },
      "unhealthy dead",
      both,
    ],
    [
      "are waited for as long as one wants more",
      {},
      { nodes: [node({ looks: [] }), node({ node: "b@x" })] },
      "open second-look",
      both,
    ],
  ]);

  test("answer together when all are alive", () => {
    const verdict = judge(evidence({}, { ...second({}), ...answered }), { ...RULES, ...both });
    expect(verdict).toMatchObject({ pongs: [{ node: NODE }, { node: "b@x" }] });
  });
});

test("two processes that share a name are said to have answered once", () => {
  const twins = evidence({}, { ...pongs, nodes: [node(), node()] });
  expect(judge(twins, RULES)).toMatchObject({ reason: "alive", pongs: [PONG] });
});

describe("anybody", () => {
  const any = (atLeast: number) => ({ asked: { kind: "any", atLeast } }) as const;
  const nobody = { nodes: [] };
  decides([
    ["is alive when one answered", {}, { ...nobody, ...pongs }, "healthy alive", any(1)],
    [
      "is alive when as many answered as were wanted",
      {},
      { ...nobody, asking: { ...ASKED, pongs: [PONG, PONG] } },
      "healthy alive",
      any(2),
    ],
    ["is undecided when fewer answered", {}, { ...nobody, ...pongs }, "unknown undecided too-few", any(2)],
    [
      "is undecided when nobody is subscribed",
      {},
      { ...nobody, ...nobodySubscribed },
      "unknown undecided too-few",
      any(1),
    ],
    ["is waited for", {}, { ...nobody, asking: { ...ASKED, over: false } }, "open pong", any(1)],
    ["is broker-refused", {}, { ...nobody, asking: refused }, "unknown broker-refused", any(1)],
  ]);
});

describe("when the time is over", () => {
  const table: readonly Row[] = [
    ["what is open is undecided", { looks: looks(POLLS).slice(0, 1) }, {}, "unknown undecided unfinished"],
    ["what is decided stays", {}, {}, "healthy busy"],
    ["the broker's failure is said", { looks: [] }, { asking: lost }, "unknown broker-unreachable"],
    [
      "it is said that there was none",
      { looks: [] },
      { asking: { kind: "no-time" } },
      "unknown undecided no-time",
    ],
    [
      "it is said who ended it",
      { looks: [] },
      { asking: { kind: "interrupted", signal: "SIGTERM" } },
      "unknown undecided interrupted",
    ],
    [
      "a stopped process is said even when somebody ended it",
      { looks: looks(null, processLook({ state: "stopped" })) },
      { asking: { kind: "interrupted", signal: "SIGTERM" } },
      "unhealthy stopped",
    ],
  ];
  for (const [title, one, rest, verdict] of table) {
    test(title, () => {
      expect(words(conclude(evidence(one, rest), RULES))).toBe(verdict);
    });
  }

  test("it is said what was wanted", () => {
    const listening = evidence({
      looks: looks(known(rows({ idleS: 2 }, 2))),
      heartbeats: { ...SILENCE, forMs: 900 },
    });
    expect(conclude(listening, RULES)).toMatchObject({
      gap: { kind: "unfinished", wanted: "heartbeat", node: NODE },
    });
  });
});
