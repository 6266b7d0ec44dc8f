import { describe, expect, test } from "vitest";
import type { Code, Finding, Level } from "../../src/doctor/finding.ts";
import type { Scene, Topic } from "../../src/doctor/scene.ts";
import { beat } from "../../src/doctor/topics/beat.ts";
import { broker, brokerStill } from "../../src/doctor/topics/broker.ts";
import { flower } from "../../src/doctor/topics/flower.ts";
import { log } from "../../src/doctor/topics/log.ts";
import { processes } from "../../src/doctor/topics/process.ts";
import { queues } from "../../src/doctor/topics/queues.ts";
import { results } from "../../src/doctor/topics/results.ts";
import { settings } from "../../src/doctor/topics/settings.ts";
import { tasks } from "../../src/doctor/topics/tasks.ts";
import { answers, siblings, worker } from "../../src/doctor/topics/worker.ts";
import { failure, success } from "../../src/outcome.ts";
import { CODES } from "../../src/render/findings/finding-words.ts";
import { evidence, PONG } from "../health/seen.ts";
import { WORKER } from "../health/fake-worker.ts";
import { fakeScene, NODE } from "./fake-scene.ts";
import {
  type Fake,
  NOW_S,
  NO_FILES,
  PIPES,
  REFUSED,
  about,
  beating,
  still,
  delivered,
  bound,
  behindLogin,
  connectedElsewhere,
  besides,
  environment,
  inSight,
  hoarding,
  info,
  judged,
  kept,
  leftBeat,
  lengthsAlone,
  listing,
  logged,
  lying,
  memory,
  moments,
  next,
  noSession,
  noneUnacked,
  oneIn,
  paced,
  pidfile,
  pool,
  redelivered,
  refusing,
  replying,
  running,
  scheduled,
  silence,
  startedAt,
  sleepingIn,
  SOLO,
  unacked,
  unbound,
  untold,
} from "./level-scenes.ts";

const LARGE_ANSWER = { method: "conf", node: NODE, bound: "length", length: 5e6, most: 4_194_304 } as const;

const shares = (failed: number, all: number) =>
  Array.from({ length: all }, (_, position) => (position < failed ? "FAILURE" : "SUCCESS"));
const besideSilent = (fake: Fake): Fake => ({
  ...fake,
  scene: { ...fake.scene, silent: () => Promise.resolve(1) },
});
const consuming = (queues: readonly string[], fake: Fake): Fake => ({
  ...fake,
  told: { ...fake.told, active_queues: queues.map((name) => ({ name })) },
});
const DRIFT =
  "Substantial drift from celery@b may mean clocks are out of sync.  Current drift is 3600 seconds.  [orig: 1 recv: 2]";
const scheduling = (entries: object): Fake => {
  const fake = next("tasks.add");
  return { ...fake, told: { ...fake.told, conf: { beat_schedule: entries } } };
};
/** Two messages behind a prefix, mailboxes of workers there, and so many messages here. */
const beyond = (prefix: string, { workers = 0, here = 0 } = {}): Fake =>
  lying(
    {},
    {
      broker: ([name, key]) => {
        if (name === "SCAN") return ["0", [`${prefix}_kombu.binding.celery`]];
        if (name === "SCARD") return key === `${prefix}_kombu.binding.celery.pidbox` ? workers : 0;
        if (name !== "LLEN") return undefined;
        return key === "mails" ? here : key === "prod_mails" ? 2 : 0;
      },
    },
  );
const failing = (count: number) =>
  "[ERROR/ForkPoolWorker-1] Task tasks.a[1-2] raised unexpected: ValueError('x')\n".repeat(count);
const succeeding = (count: number) =>
  "[INFO/ForkPoolWorker-1] Task tasks.a[1-2] succeeded in 0.1s: None\n".repeat(count);

/**
 * Each code of the doctor with the least that makes it what it is, and the most that does not. The condition of a finding
 * is believed when its rows turn red by its inversion.
 */
type Row = readonly [title: string, topic: Topic, fake: Fake, levels: readonly Level[]];

// A record of all codes, so that the compiler misses none; the first test below sees it at run time.
const ROWS: { readonly [C in Code]: readonly Row[] } = {
  broker: [
    ["answers", broker, info("redis_version:7.2.4"), ["ok"]],
    ["cannot be reached", broker, noSession, ["problem"]],
    [
      "may be read, and not written to",
      broker,
      {
        ...info(),
        check: { evidence: evidence({}, { asking: { kind: "broker-failed", failure: REFUSED, pings: 0 } }) },
      },
      ["problem"],
    ],
    ["follows another, and may be written", broker, info("role:slave", "master_host:b"), ["warning"]],
    ["still answers", brokerStill, replying({ PING: "PONG" }), []],
    [
      "answers no more",
      brokerStill,
      {
        scene: {
          session: success({ send: () => Promise.resolve(failure(REFUSED)) }) as unknown as Scene["session"],
        },
      },
      ["problem"],
    ],
  ],
  "broker-name": [
    ["a name that leads elsewhere", brokerStill, connectedElsewhere("10.9.0.2"), ["warning"]],
    ["a name that leads there", brokerStill, connectedElsewhere("127.0.0.1"), []],
  ],
  "broker-memory": [
    ["nine tenths of its limit", broker, memory(900, 1_000), ["ok"]],
    ["more than that", broker, memory(901, 1_000), ["warning"]],
    ["no limit", broker, memory(901, 0, "allkeys-lru"), ["ok"]],
    ["a limit at which it throws keys away", broker, memory(1, 1_000, "allkeys-lru"), ["warning"]],
    ["and has thrown some away", broker, memory(1, 1_000, "allkeys-lru", 10), ["problem"]],
    ["and has thrown results away", broker, memory(1, 1_000, "volatile-lru", 10), ["warning"]],
    ["another policy by now", broker, memory(1, 1_000, "noeviction", 10), ["ok"]],
    ["not told", broker, info(), []],
  ],
  "large-answer": [
    ["within the bounds", answers, {}, []],
    ["over one", answers, { scene: { overBound: () => [LARGE_ANSWER] } }, ["skipped"]],
  ],
  worker: [
    ["alive", worker, judged({ status: "healthy", reason: "alive", pongs: [PONG] }), ["ok"]],
    [
      "starting",
      worker,
      judged({ status: "healthy", reason: "starting", ...about, ageMs: 1, graceMs: 2 }),
      ["ok"],
    ],
    ["busy", worker, judged({ status: "healthy", reason: "busy", ...about, ...silence }), ["warning"]],
    [
      "stopping",
      worker,
      judged({ status: "healthy", reason: "stopping", ...about, ...silence }),
      ["warning"],
    ],
    [
      "deaf",
      worker,
      judged({ status: "healthy", reason: "deaf", ...about, shownBy: "polling", subscribers: 1, active: 0 }),
      ["warning"],
    ],
    [
      "hung",
      worker,
      judged({ status: "unhealthy", reason: "hung", ...about, ...silence, isStopping: false }),
      ["problem"],
    ],
    [
      "busy by --strict",
      worker,
      judged({ status: "unhealthy", reason: "busy", ...about, ...silence }),
      ["problem"],
    ],
    [
      "unknown",
      worker,
      judged({ status: "unknown", reason: "broker-unreachable", failure: REFUSED }),
      ["problem"],
    ],
  ],
  siblings: [
    [
      "of its own name",
      siblings,
      { ...besides([], 1), scene: { repeated: () => Promise.resolve([NODE]) } },
      ["warning"],
    ],
    [
      "of its own name, asked for by name",
      siblings,
      { ...besides([], 1, ["--node", NODE]), scene: { repeated: () => Promise.resolve([NODE]) } },
      ["warning"],
    ],
    ["of other names", siblings, besides(["celery@web-2"]), ["ok"]],
    ["silent, but for the worker that is asked", siblings, besides([], 2), ["skipped"]],
    ["the worker that is asked alone", siblings, besides([], 1), []],
    ["of a run that asks for one by its name", siblings, besides(["celery@web-2"], 0, ["--node", NODE]), []],
  ],
  pool: [
    ["known", settings, { told: pool({}) }, ["ok"]],
    [
      "as it was told",
      settings,
      inSight({ words: [...WORKER.words, "-P", "prefork"] }, { told: pool({}) }),
      ["ok"],
    ],
    [
      "another than it was told",
      settings,
      inSight({ words: [...WORKER.words, "-P", "solo"] }, { told: pool({}) }),
      ["warning"],
    ],
    ["not known", settings, { told: { stats: { pool: {} } } }, ["skipped"]],
    [
      "of a worker that does not answer, by its command line",
      settings,
      inSight({ words: [...WORKER.words, "-P", "prefork"] }),
      ["skipped"],
    ],
  ],
  "always-eager": [
    ["set", settings, { told: { ...pool({}), conf: { task_always_eager: true } } }, ["warning"]],
    [
      "set by its old name",
      settings,
      { told: { ...pool({}), conf: { CELERY_ALWAYS_EAGER: true } } },
      ["warning"],
    ],
    ["not set", settings, { told: { ...pool({}), conf: { task_always_eager: false } } }, []],
  ],
  "time-limits": [
    ["soft below hard, with room", settings, { told: pool({ timeouts: [150, 180] }) }, ["ok"]],
    ["none by its settings", settings, { told: { conf: {}, stats: {} } }, ["ok"]],
    ["not told", settings, { told: { stats: { pool: {} } } }, ["skipped"]],
    ["soft near hard", settings, { told: pool({ timeouts: [151, 180] }) }, ["warning"]],
    ["hard alone, shorter than the room", settings, { told: pool({ timeouts: [0, 20] }) }, ["ok"]],
    ["soft as hard", settings, { told: pool({ timeouts: [180, 180] }) }, ["problem"]],
    [
      "of a pool that enforces none",
      settings,
      {
        told: {
          stats: { pool: { implementation: "celery.concurrency.solo:TaskPool" } },
          conf: { task_time_limit: 60 },
        },
      },
      ["warning"],
    ],
    [
      "of a variable that has no effect",
      settings,
      inSight({ environment: "CELERY_TASK_TIME_LIMIT=9\0" }, { told: pool({ timeouts: [0, 60] }) }),
      ["warning"],
    ],
  ],
  "container-timeouts": [
    ["well below the limit", settings, environment("HTTP_TIMEOUT=30\0"), ["ok"]],
    ["near it", settings, environment("HTTP_TIMEOUT=31\0"), ["warning"]],
    ["not below it", settings, environment("HTTP_TIMEOUT=60\0"), ["warning"]],
    ["none", settings, environment("HTTP_PORT=60\0"), []],
    [
      "well below the limit of a command line, whose worker does not answer",
      settings,
      inSight({ words: [...WORKER.words, "--time-limit=60"], environment: "HTTP_TIMEOUT=30\0" }),
      ["skipped"],
    ],
  ],
  memory: [
    ["nine tenths of the container's", processes, moments({ limit: 1_000, used: 900 }), ["ok"]],
    ["more than that", processes, moments({ limit: 1_000, used: 901 }), ["warning"]],
    ["a twentieth of the machine's left", processes, moments({ resident: 95, available: 5 }), ["ok"]],
    ["not known", processes, moments({ resident: Number.NaN }), ["skipped"]],
    ["less left", processes, moments({ resident: 96, available: 5 }), ["warning"]],
  ],
  "oom-kills": [
    ["none", processes, moments({ kills: 0 }), ["ok"]],
    ["one", processes, moments({ kills: 1 }), ["problem"]],
  ],
  restarts: [
    ["as old as its container", processes, startedAt(5_000), ["ok"]],
    ["much younger than its container", processes, startedAt(90_000), ["warning"]],
    ["young, on no container", processes, inSight({ startTicks: 90_000 }, { host: NO_FILES }), ["skipped"]],
  ],
  cpu: [
    ["little", processes, moments({ cpuMs: 0 }, { cpuMs: 900 }), ["ok"]],
    ["a core of the main process", processes, moments({ cpuMs: 0 }, { cpuMs: 910 }), ["warning"]],
    ["held back", processes, moments({ throttled: 1 }, { throttled: 2, cpuMs: 20 }), ["warning"]],
    [
      "held back, not by the worker",
      processes,
      moments({ throttled: 1 }, { throttled: 2, cpuMs: 10 }),
      ["ok"],
    ],
  ],
  stuck: [
    ["a full pipe", processes, sleepingIn("pipe_write"), ["problem"]],
    ["a connection", processes, sleepingIn("wait_woken"), ["problem"]],
    ["a connection, of a task in a solo pool", processes, sleepingIn("wait_woken", SOLO), []],
    ["a full pipe, in a solo pool", processes, sleepingIn("pipe_write", SOLO), ["problem"]],
    ["a pipe, it is not seen which", processes, sleepingIn("pipe_write", {}, null), ["problem"]],
    ["the same of a task in a solo pool", processes, sleepingIn("pipe_write", SOLO, null), []],
  ],
  interpreter: [
    [
      "of the environment of its celery",
      processes,
      inSight({ words: ["/venv/bin/python", ...WORKER.words.slice(1)] }, { host: NO_FILES }),
      ["ok"],
    ],
    [
      "of another",
      processes,
      inSight({ words: ["/usr/bin/python", ...WORKER.words.slice(1)] }, { host: NO_FILES }),
      ["warning"],
    ],
  ],
  "file-permissions": [
    ["its own", processes, pidfile({ uid: 1 }), ["ok"]],
    ["another user's", processes, pidfile({ uid: 2 }), ["problem"]],
    ["its own, which is mounted read-only", processes, pidfile({ uid: 1, isReadOnly: true }), ["problem"]],
    ["no folder", processes, pidfile(null), ["problem"]],
    ["that this user may not look at", processes, pidfile("forbidden"), ["skipped"]],
    ["none named", processes, inSight({}, { host: NO_FILES }), []],
  ],
  log: [
    ["nothing known", log, logged("[INFO/MainProcess] ready\n"), ["ok"]],
    ["an unknown task", log, logged("[ERROR] Received unregistered task of type 'a'.\n"), ["problem"]],
    ["a task at its limit", log, logged("[ERROR] Hard time limit (9s) exceeded for a[1]\n"), ["warning"]],
    ["none given", log, { told: { stats: {} }, host: NO_FILES }, ["skipped"]],
    [
      "files that are never closed",
      log,
      logged("[ERROR] OSError: [Errno 24] Too many open files\n"),
      ["problem"],
    ],
    ["clocks that differ", log, logged(`[WARNING] ${DRIFT}\n`), ["warning"]],
    ["a shell's word", log, logged("[INFO] ready.\nKilled\n"), ["problem"]],
    ["four tasks that fail", log, logged(failing(4)), ["ok"]],
    ["five", log, logged(failing(5)), ["warning"]],
    ["five of fifty", log, logged(failing(5) + succeeding(45)), ["warning"]],
    ["five of fifty-one", log, logged(failing(5) + succeeding(46)), ["ok"]],
    ["five of fifty-one that the worker has begun", log, logged(failing(5), { a: 51 }), ["ok"]],
    ["five of fifty that the worker has begun", log, logged(failing(5), { a: 50 }), ["warning"]],
    [
      "an unknown task of a run that is over",
      log,
      logged(`Received unregistered task of type 'a'.\n${NODE} ready.\n`),
      ["ok", "ok"],
    ],
    [
      "a pipe that -f names",
      log,
      inSight({ words: [...WORKER.words, "-f", "/w"] }, { host: PIPES, told: { stats: {} } }),
      ["skipped"],
    ],
    [
      "a pipe that --log names",
      log,
      { args: ["--log", "/w"], host: PIPES, told: { stats: {} } },
      ["problem"],
    ],
    [
      "that of -f, which is not there",
      log,
      inSight({ words: [...WORKER.words, "-f", "/w"] }, { host: NO_FILES, told: { stats: {} } }),
      ["problem"],
    ],
    ["not there", log, { args: ["--log", "/w.log"], host: NO_FILES, told: { stats: {} } }, ["problem"]],
  ],
  "pool-package": [
    ["there", log, logged("[INFO/MainProcess] ready\n"), []],
    ["missing", log, logged("ModuleNotFoundError: No module named 'gevent'\n"), ["problem"]],
    ["of another name", log, logged("ModuleNotFoundError: No module named 'shop'\n"), []],
  ],
  "queue-length": [
    ["as many as there may be", queues, lying({ mails: 1_000 }), ["ok"]],
    ["more", queues, lying({ mails: 1_001 }), ["warning"]],
    ["not told", queues, { ...lying({}), broker: () => undefined }, ["skipped"]],
    ["none of a queue that nobody knows", queues, lying({}, { ...unbound, told: {} }), ["skipped"]],
    [
      "one of a queue that nobody knows",
      queues,
      lying({}, { ...unbound, ...oneIn("celery"), told: {} }),
      ["ok"],
    ],
    [
      "none of a queue that somebody has declared",
      queues,
      lying({}, { args: ["--queue", "forgotten"], told: {} }),
      ["ok"],
    ],
  ],
  "queues-consumed": [
    ["all that have work", queues, lying({ mails: 3 }), ["ok"]],
    ["not known, as no search is permitted", queues, lying({}, { broker: lengthsAlone }), ["skipped"]],
    [
      "not known of a queue whose length is refused",
      queues,
      lying({}, { broker: refusing("forgotten") }),
      ["skipped"],
    ],
    ["not one that has work", queues, lying({ forgotten: 3 }), ["problem"]],
    [
      "not one that has work, while a worker is silent",
      queues,
      lying({ forgotten: 3 }, { scene: { silent: () => Promise.resolve(1) } }),
      ["skipped"],
    ],
    ["none, and nothing waits", queues, lying({}, { told: { active_queues: [] } }), ["warning"]],
    [
      "none, and something waits",
      queues,
      lying({ forgotten: 3 }, { told: { active_queues: [] } }),
      ["problem", "problem"],
    ],
    ["not told", queues, lying({}, { told: {} }), ["skipped"]],
  ],
  standstill: [
    ["a task begins", queues, still(9, 1, { begun: 1 }), []],
    ["nothing waits", queues, still(0, 0), []],
    ["a slot is free", queues, still(1, 1), ["problem"]],
    ["a slot is free, and its rates are not told", queues, untold(still(1, 1), "registered"), ["skipped"]],
    [
      "a slot is free, and what is delivered waits for its rate",
      queues,
      still(59, 1, { registered: ["tasks.slow [rate_limit=1/m]"], deliveries: ["tasks.slow"] }),
      ["ok"],
    ],
    [
      "a slot is free, and more waits than the rate lets through in an hour",
      queues,
      still(60, 1, { registered: ["tasks.slow [rate_limit=1/m]"], deliveries: ["tasks.slow"] }),
      ["warning"],
    ],
    [
      "a slot is free, and what is delivered has no rate",
      queues,
      still(1, 1, { registered: ["tasks.slow [rate_limit=1/m]"], deliveries: ["tasks.add"] }),
      ["problem"],
    ],
    ["no slot is free, and the last waits three minutes", queues, still(32, 2, { ageS: 10 }), ["ok"]],
    ["no slot is free, and the last waits longer", queues, still(33, 2, { ageS: 10 }), ["warning"]],
    ["no slot is free, and it is not told for how long", queues, untold(still(37, 2), "active"), ["ok"]],
  ],
  "queue-binding": [
    ["in its table", queues, bound("topic", ["mail.#\x06\x16^mail\\..*$\x06\x16mails"]), []],
    ["by another separator", queues, bound("topic", ["mail.#:^mail:mails"]), []],
    ["of another routing key", queues, bound("topic", ["mail\x06\x16\x06\x16mails"]), ["problem"]],
    ["of another queue", queues, bound("topic", ["mail.#\x06\x16\x06\x16emails"]), ["problem"]],
    ["gone", queues, bound("topic", []), ["problem"]],
    ["gone, by which no client goes as a rule", queues, bound("direct", []), ["warning"]],
    ["of an exchange that needs none", queues, bound("fanout", []), []],
  ],
  throughput: [
    ["full, and the queue does not grow", queues, paced(2, 0), ["ok"]],
    ["full, and the queue grows", queues, paced(2, 1), ["warning"]],
    [
      "a slot is free at the end, between two tasks, and the queue grows",
      queues,
      paced([2, 1], 1),
      ["warning"],
    ],
    ["a slot is free at both looks, between the tasks that begin", queues, paced(1, 1, 3), ["warning"]],
    ["a slot is free, nothing begins, and the queue grows", queues, paced(1, 1), ["ok"]],
    ["nothing heard", queues, lying({}), ["skipped"]],
    [
      "the queue grows, and no pool says how many tasks it runs",
      queues,
      { ...paced(2, 1), told: { active_queues: [{ name: "mails" }] } },
      ["skipped"],
    ],
  ],
  tasks: [
    ["told", tasks, { told: { active: [] } }, ["ok"]],
    ["not told", tasks, {}, ["skipped"]],
    ["of nobody", tasks, { scene: { nodes: () => Promise.resolve([]) } }, ["skipped"]],
  ],
  "task-age": [
    ["as old as it may be", tasks, running(60, ["--max-task-age", "60s"]), ["ok"]],
    ["older", tasks, running(61, ["--max-task-age", "60s"]), ["warning"]],
    [
      "older than the limit that its pool should have ended it at",
      tasks,
      running(66, [], [0, 60]),
      ["warning"],
    ],
    ["not told", tasks, {}, ["skipped"]],
    ["within limits that are not told", tasks, untold(running(60, [], [0, 60]), "registered"), ["skipped"]],
  ],
  "unregistered-task": [
    ["known", tasks, next("tasks.add"), ["ok"]],
    [
      "none, as nothing waits",
      tasks,
      { ...next("tasks.add"), broker: ([name]) => (name === "LLEN" ? 0 : undefined) },
      ["ok"],
    ],
    [
      "that waits and may not be read",
      tasks,
      { ...next("tasks.add"), broker: ([name]) => (name === "LLEN" ? undefined : 300) },
      ["skipped"],
    ],
    [
      "of an entry of beat_schedule, which is known",
      tasks,
      scheduling({ a: { task: "tasks.add" }, b: { task: "celery.backend_cleanup" } }),
      ["ok"],
    ],
    [
      "of an entry of beat_schedule, which nobody knows",
      tasks,
      scheduling({ a: { task: "tasks.ad" } }),
      ["ok", "warning"],
    ],
    [
      "of an entry of beat_schedule, while a worker is silent",
      tasks,
      besideSilent(scheduling({ a: { task: "tasks.ad" } })),
      ["ok", "skipped"],
    ],
    [
      "known, beside one that may not be read",
      tasks,
      {
        ...next("tasks.add"),
        broker: (command) => (command[1] === "mails:5" ? undefined : next("tasks.add").broker?.(command)),
      },
      ["ok"],
    ],
    ["not known", tasks, next("tasks.other"), ["problem"]],
    [
      "not known, while a worker is silent",
      tasks,
      next("tasks.other", { silent: () => Promise.resolve(1) }),
      ["warning"],
    ],
    ["not told", tasks, {}, ["skipped"]],
  ],
  elsewhere: [
    ["behind another prefix", queues, beyond("prod_"), ["warning"]],
    ["behind another prefix, which is a worker's", queues, beyond("prod_", { workers: 1 }), []],
    ["behind another prefix, while work waits here", queues, beyond("prod_", { here: 1 }), []],
    ["behind no other prefix", queues, beyond(""), []],
  ],
  "priority-lists": [
    ["that its worker reads", tasks, next("tasks.add", {}, { list: "mails\x06\x163" }), []],
    ["that it does not", tasks, next("tasks.add", {}, { list: "mails\x06\x165" }), ["problem"]],
    [
      "that is a queue of its own",
      tasks,
      consuming(["mails", "mails:3"], next("tasks.add", {}, { list: "mails:3" })),
      [],
    ],
    [
      "that it reads by its own steps",
      tasks,
      next("tasks.add", {}, { list: "mails\x06\x165", options: { priority_steps: [0, 5] } }),
      [],
    ],
    [
      "of another separator",
      tasks,
      next("tasks.add", {}, { list: "mails\x06\x163", options: { sep: ":" } }),
      ["problem"],
    ],
    [
      "that it does not read, while a worker is silent",
      tasks,
      next("tasks.add", { silent: () => Promise.resolve(1) }, { list: "mails\x06\x165" }),
      ["skipped"],
    ],
    [
      "whose workers do not tell",
      tasks,
      untold(next("tasks.add", {}, { list: "mails\x06\x165" }), "conf"),
      [],
    ],
  ],
  "repeated-tasks": [
    ["none", tasks, redelivered({}, false), []],
    [
      "one task at two places",
      tasks,
      { told: { active: [1, 2].map(() => ({ name: "a", id: "1", time_start: NOW_S })) } },
      ["problem"],
    ],
    [
      "two tasks",
      tasks,
      { told: { active: ["1", "2"].map((id) => ({ name: "a", id, time_start: NOW_S })) } },
      [],
    ],
    ["put back once, before the first look", tasks, redelivered({ redelivered: true }, false), []],
    ["put back between two looks", tasks, redelivered({ redelivered: true }, true), ["problem"]],
    ["sent anew between two looks, under the same id", tasks, redelivered({}, true), []],
    ["retried ten times", tasks, redelivered({ retries: 10 }, false), []],
    ["retried more often", tasks, redelivered({ retries: 11 }, false), ["warning"]],
  ],
  prefetch: [
    ["four for each slot", tasks, hoarding(4, 0), ["ok"]],
    ["more", tasks, hoarding(5, 0), ["warning"]],
    ["more, and the other is full", tasks, hoarding(5, 1), []],
    ["more, and the other consumes another queue", tasks, hoarding(5, 0, ["other"]), []],
    ["more, while a worker is silent", tasks, besideSilent(hoarding(5, 0)), []],
  ],
  "late-tasks": [
    ["a minute late", tasks, unacked(NOW_S - 60), ["ok"]],
    ["later", tasks, unacked(NOW_S - 61), ["warning"]],
    [
      "later, unless a silent worker runs it",
      tasks,
      { ...unacked(NOW_S - 61), told: { conf: {} } },
      ["skipped"],
    ],
    [
      "later, and it runs",
      tasks,
      unacked(NOW_S - 61, [{ name: "tasks.add", id: "1", time_start: NOW_S }]),
      ["ok"],
    ],
    ["delivered a minute ago, and waits for nothing", tasks, delivered(NOW_S - 60), ["ok"]],
    ["delivered before", tasks, delivered(NOW_S - 61), ["warning"]],
    [
      "delivered just now, and a heartbeat says that nothing begins",
      tasks,
      delivered(NOW_S, { heardMs: 1_030 }),
      ["warning"],
    ],
    [
      "delivered just now, and no heartbeat has come since",
      tasks,
      delivered(NOW_S, { heardMs: 1_029 }),
      ["ok"],
    ],
    [
      "delivered just now, and something was begun",
      tasks,
      delivered(NOW_S, { heardMs: 1_030, begun: 1 }),
      ["ok"],
    ],
    [
      "delivered before, as its worker is full",
      tasks,
      delivered(NOW_S - 61, { active: [{ name: "tasks.nap", id: "2", time_start: NOW_S }] }),
      ["ok"],
    ],
    [
      "delivered before, and its rate is limited",
      tasks,
      delivered(NOW_S - 61, { told: { registered: ["tasks.add [rate_limit=1/m]"] } }),
      ["ok"],
    ],
    ["delivered before, while a worker is silent", tasks, besideSilent(delivered(NOW_S - 61)), ["skipped"]],
    ["within the visibility timeout", tasks, unacked(NOW_S + 3_600), ["ok"]],
    [
      "none, of workers that tell their options",
      tasks,
      { ...noneUnacked, told: { active: [], conf: {} } },
      ["ok"],
    ],
    ["none, under keys that nobody has told", tasks, { ...noneUnacked, told: { active: [] } }, ["skipped"]],
    ["beyond it", tasks, unacked(NOW_S + 3_601), ["warning"]],
    ["not told", tasks, {}, ["skipped"]],
  ],
  "failed-results": [
    ["as many as there may be", results, kept(["SUCCESS", "FAILURE"]), ["ok"]],
    ["more", results, kept(["FAILURE", "FAILURE"]), ["warning"]],
    ["one of one, as many as an option permits", results, kept(["FAILURE"]), ["ok"]],
    ["a tenth, and five", results, kept(shares(5, 50), {}), ["warning"]],
    ["less than a tenth", results, kept(shares(5, 51), {}), ["ok"]],
    ["less than five", results, kept(shares(4, 4), {}), ["ok"]],
    ["all that are kept, and less than a tenth of all", results, kept(shares(5, 5), { a: 51 }), ["ok"]],
    ["none in a backend that nobody has named", results, kept([]), ["skipped"]],
    ["no JSON", results, kept(["?"]), ["skipped"]],
  ],
  "beat-processes": [
    ["one", beat, beating(900, 9), ["ok"]],
    ["one that is stopped", beat, beating(900, 9, { state: "T" }), ["problem"]],
    ["one whose file is stale", beat, beating(900, 700), ["ok"]],
    ["one that its worker has left", beat, beating(900, 9, leftBeat), ["problem"]],
    ["none", beat, inSight({}, { host: NO_FILES }), []],
  ],
  "beat-schedule-file": [
    ["written within twice its interval", beat, beating(900, 600), ["ok"]],
    ["written before", beat, beating(900, 601), ["problem"]],
    ["deleted", beat, beating(900, null), ["problem"]],
    ["of a beat that is stopped", beat, beating(900, 9, { state: "T" }), ["ok"]],
  ],
  "beat-schedule": [
    ["one entry", beat, scheduled({ beat_schedule: { a: {} } }), ["ok"]],
    ["empty", beat, scheduled({ beat_schedule: {} }), ["warning"]],
    [
      "of another scheduler",
      beat,
      scheduled({ beat_scheduler: "django_celery_beat.schedulers:DatabaseScheduler" }),
      ["skipped"],
    ],
  ],
  flower: [
    ["lists who answers", flower, listing(true), ["ok"]],
    ["lists workers, and none answers here", flower, untold(listing(true), "stats"), ["skipped"]],
    ["misses who answers", flower, listing(false), ["warning"]],
    ["lets nobody in but people", flower, { ...listing(true), host: { web: behindLogin } }, ["skipped"]],
    [
      "cannot be reached",
      flower,
      { ...listing(true), host: { web: () => Promise.resolve(() => Promise.resolve(failure("refused"))) } },
      ["problem"],
    ],
  ],
};

test("every code has rows, and more than one outcome", () => {
  expect(Object.keys(ROWS).sort()).toEqual([...CODES].sort());
  const single = CODES.filter((code) => new Set(ROWS[code].map(([, , , levels]) => levels.join())).size < 2);
  expect(single).toEqual([]);
});

describe.each(Object.entries(ROWS))("%s", (code, rows) => {
  test.each(rows)("%s", async (_, topic, fake, levels) => {
    const found: readonly Finding[] = await topic(fakeScene(fake).scene);
    expect(found.filter((one) => one.code === code).map(({ level }) => level)).toEqual(levels);
  });
});
