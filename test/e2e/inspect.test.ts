import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { findSetting, sortSettings } from "../../src/celery/every-setting.ts";
import { startContainer } from "../world/container.ts";
import { ProcessGroup } from "../world/process-group.ts";
import { celeryVenv } from "../world/python.ts";
import { type Server, startServer } from "../world/server.ts";
import { taskMessage } from "../world/task-message.ts";
import { assertWorkerIsWell, DJANGO, startWorker, type Worker } from "../world/worker.ts";
import type { Pool } from "../world/worker-command.ts";
import { EXECUTABLE, keysOfOurs, type Probed, probe } from "./probe.ts";

type Results = Readonly<Record<string, unknown>>;

/** Runs `inspect`. On this machine, other tests' workers are in sight. */
function inspect(server: Server, ...words: readonly string[]): Promise<Probed> {
  return probe(["inspect", ...words, "--placement", "remote"], { CELERY_BROKER_URL: server.url() });
}

async function inspected(server: Server, ...words: readonly string[]): Promise<Results> {
  const { stdout, stderr, exitCode } = await inspect(server, ...words, "--output", "json");
  expect(stderr, words.join(" ")).toBe("");
  expect(exitCode, words.join(" ")).toBe(0);
  return JSON.parse(stdout) as Results;
}

/**
 * The output of `celery ARGS` for several lists of arguments, in a single Python process, because Python takes long to
 * start.
 */
async function celery(
  version: "5.2.7" | "5.7.0",
  server: Server,
  runs: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const { python } = await celeryVenv(version);
  const { stdout } = await execa(python, ["-c", CELERY, server.url(), JSON.stringify(runs)], {
    env: { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" },
    extendEnv: false,
    stdin: "ignore",
    cwd: "/",
  });
  return JSON.parse(stdout.split("\n").at(-1) ?? "") as readonly string[];
}

const CELERY = `
import contextlib, io, json, sys
from celery.bin.celery import celery
url, runs, printed = sys.argv[1], json.loads(sys.argv[2]), []
for run in runs:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        celery.main(args=["-b", url, *run], standalone_mode=False)
    printed.append(out.getvalue())
print(json.dumps(printed))
`;

/** A task with an argument that JSON cannot hold: pickle's \`((complex(1, 2),), {}, {})\`. */
async function submitUnserialisable(worker: Worker): Promise<void> {
  const { python } = await celeryVenv("5.4.0");
  const script =
    "import pickle, sys, base64; print(base64.b64encode(pickle.dumps(((1+2j,), {}, {}), 2)).decode())";
  const { stdout: body } = await execa(python, ["-c", script]);
  const { element } = taskMessage(worker.queue, "nap", [300]);
  const message = JSON.parse(element) as Record<string, unknown>;
  const pickled = { "content-type": "application/x-python-serialize", "content-encoding": "binary" };
  await worker.redis.lpush(worker.queue, JSON.stringify({ ...message, ...pickled, body }));
}

/** The answers in our lists, which expire. */
async function leftAnswers(server: Server): Promise<readonly unknown[]> {
  const redis = server.client();
  const elements: string[] = [];
  for (const { key, ttl } of await keysOfOurs(server)) {
    expect(ttl, key).toBeGreaterThan(80_000);
    elements.push(...(await redis.lrange(key, 0, -1)));
  }
  redis.disconnect();
  return elements
    .filter((element) => element !== "")
    .map((element) => JSON.parse(element) as { readonly body: string })
    .map(({ body }) => JSON.parse(Buffer.from(body, "base64").toString()) as unknown);
}

async function expectNothingLeft(server: Server): Promise<void> {
  expect(await leftAnswers(server)).toEqual([]);
}

const METHODS: readonly (readonly string[])[] = [
  ["ping"],
  ["active"],
  ["active_queues"],
  ["stats"],
  ["registered"],
  ["registered", "rate_limit", "name"],
  ["clock"],
  ["report"],
  ["conf"],
  ["conf", "--with-defaults"],
  ["reserved"],
  ["scheduled"],
  ["revoked"],
  ["query_task"],
];

/** Values that may differ from one moment to the next. Only their types are compared. */
const VOLATILE = new Set(["clock", "uptime", "rusage", "writes"]);

/**
 * An answer without what differs between two answers of the same state: moments, the order of sets, and descriptions by
 * `safe`.
 */
function comparable(value: unknown, name = ""): unknown {
  if (VOLATILE.has(name)) return typesOf(value);
  if (Array.isArray(value)) {
    const list = value.map((one) => comparable(one));
    return list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, comparable(one, key)]));
}

function typesOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, typesOf(one)]));
}

function withoutArguments(results: Results): unknown {
  const drop = (task: unknown) => ({ ...(task as object), args: null, kwargs: null });
  return Object.fromEntries(
    Object.entries(results).map(([node, tasks]) => [node, (tasks as unknown[]).map(drop)]),
  );
}

/**
 * Submits a running task (except to solo, which would not answer), one that waits after it, and one for tomorrow, all
 * to one queue.
 */
async function giveWork(worker: Worker, pool: Pool): Promise<readonly string[]> {
  const ids: string[] = [];
  if (pool !== "solo") {
    const id = await worker.submit("nap", 300);
    await worker.taskStarted(id);
    const { id: waiting, element } = taskMessage(worker.queue, "nap", [301]);
    await worker.redis.lpush(worker.queue, element);
    await worker.waitForLog(new RegExp(`\\[${waiting}\\] received`));
    ids.push(id, waiting);
  }
  return ids;
}

async function schedule(worker: Worker): Promise<string> {
  const { id, element } = taskMessage(worker.queue, "nap", [302]);
  const message = JSON.parse(element) as { headers: Record<string, unknown> };
  message.headers["eta"] = new Date(Date.now() + 86_400_000).toISOString();
  await worker.redis.lpush(worker.queue, JSON.stringify(message));
  await worker.waitForLog(new RegExp(`\\[${id}\\] received`));
  return id;
}

describe.each([
  { version: "5.2.7", pools: ["prefork", "solo", "threads", "gevent"] },
  { version: "5.7.0", pools: ["prefork", "solo", "threads", "gevent", "eventlet"] },
] as const)("workers of Celery $version", ({ version, pools }) => {
  test.concurrent("answer every method as they answer celery inspect", { timeout: 120_000 }, async () => {
    await using server = await startServer();
    await using stack = new AsyncDisposableStack();
    const workers = await Promise.all(
      pools.map(async (pool) => {
        const worker = await startWorker({ server, pool, celery: version, queues: [`of-${pool}`] });
        return { pool, worker: stack.use(worker) };
      }),
    );
    const ids: string[] = [];
    for (const { pool, worker } of workers) {
      ids.push(await schedule(worker), ...(await giveWork(worker, pool)));
    }
    const nodes = workers.map(({ worker }) => worker.node).join(",");
    const asked = METHODS.map((words) => (words[0] === "query_task" ? [...words, ...ids] : words));
    const theirWords = (words: readonly string[]) =>
      words.map((word) => (word === "--with-defaults" ? "true" : word));
    const runs = asked.map((words) => ["inspect", "-t", "10", "-d", nodes, "-j", ...theirWords(words)]);
    await celery("5.7.0", server, [
      ["control", "-t", "5", "-d", nodes, "revoke", "11111111-2222-3333-4444-555555555555"],
    ]);
    const printed = {
      "5.2.7": await celery("5.2.7", server, runs),
      "5.7.0": await celery("5.7.0", server, runs),
    };

    for (const [position, words] of asked.entries()) {
      const method = words[0] ?? "";
      const ours = await inspected(server, ...words, "--allow-risky", "--timeout", "10s");
      expect(Object.keys(ours)).toHaveLength(workers.length);
      for (const [client, outputs] of Object.entries(printed)) {
        // Python's JSON has numbers that JSON does not have. 1e999 is read as infinite.
        const theirs = JSON.parse((outputs[position] ?? "").replaceAll(": Infinity", ": 1e999")) as Results;
        const [a, b] =
          method === "active" ? [withoutArguments(ours), withoutArguments(theirs)] : [ours, theirs];
        expect(comparable(a), `${words.join(" ")}, by celery ${client}`).toEqual(comparable(b));
      }
    }
    expect((await inspect(server, "active")).stdout).toContain("tasks.nap");
    await expectNothingLeft(server);
  });
});

test.concurrent(
  "a risky method goes only to workers that survive it; the others are named and live on",
  async () => {
    await using server = await startServer();
    const pickled = { settings: { accept_content: ["json", "pickle"] }, env: { C_FORCE_ROOT: "1" } };
    await using fragile = await startWorker({ server, celery: "5.4.0", queues: ["fragile"], ...pickled });
    await using sturdy = await startWorker({ server, celery: "5.7.0", queues: ["sturdy"] });
    await fragile.taskStarted(await fragile.submit("nap", 300));
    await submitUnserialisable(fragile);
    await fragile.waitForLog(/received[^]*received/);

    const refused = await inspect(server, "reserved");
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toBe("");
    expect(refused.stderr).toContain(`would disable ${fragile.node}`);
    expect(refused.stderr).toContain("kombu 5.4.2");
    expect(refused.stderr).toContain(`safe: ${sturdy.node};`);
    expect(await inspected(server, "reserved", "--node", sturdy.node)).toEqual({ [sturdy.node]: [] });
    expect(Object.keys(await inspected(server, "active"))).toEqual([fragile.node, sturdy.node].sort());
    expect(await fragile.answers(3_000)).toBe(true);

    const told = await inspect(server, "reserved", "--allow-risky", "--timeout", "1s");
    expect(told.stderr).toContain(`no answer from ${fragile.node} to reserved, although it answers pings`);
    expect(told.exitCode).toBe(1);
    // Otherwise the flag would protect nothing.
    expect(await fragile.answers(1_000)).toBe(false);
    await assertWorkerIsWell(sturdy);
  },
);

test.concurrent(
  "an eventlet pool is sent no risky method, whatever its kombu; Celery 5.0 with an old kombu is sent it",
  async () => {
    await using server = await startServer();
    await using green = await startWorker({ server, pool: "eventlet" });
    await using old = await startWorker({ server, celery: "5.0.5" });
    const { stderr, exitCode } = await inspect(server, "scheduled");
    expect(stderr).toContain(`would disable ${green.node}\n  an eventlet pool`);
    expect(exitCode).toBe(1);
    expect(await inspected(server, "scheduled", "--node", old.node)).toEqual({ [old.node]: [] });
    expect(await inspected(server, "active", "--node", old.node)).toEqual({ [old.node]: [] });
  },
);

test.concurrent("prints no password of settings, connections and reports", async () => {
  const secret = "s3cr3t";
  await using server = await startServer({ password: `${secret}-broker` });
  const other = `redis://user:${secret}-@nother@127.0.0.1:1/0`;
  await using worker = await startWorker({
    server,
    brokerUrl: server.url(),
    globalArgs: ["-b", `${server.url()};${other}`],
    settings: {
      result_backend: `redis://:${secret}-result@127.0.0.1:1/0?password=${secret}-query`,
      broker_transport_options: {
        sentinel_kwargs: { password: `${secret}-sentinel`, username: "sentry" },
        nested: [{ password: `${secret}-list` }, `amqp://u:${secret}-url@h/`],
      },
      redis_password: `${secret}-redis`,
      beat_redbeat_lock_url: `redis://:${secret}-lock@h/0`,
      app_dsn: `host=h password=${secret}-dsn user=u`,
      app_hooks: [{ webhook: `https://bot:${secret}-hook@chat/x`, auth: `${secret}-auth` }],
    },
  });
  for (const words of [
    ["ping"],
    ["stats"],
    ["conf"],
    ["conf", "--with-defaults"],
    ["report"],
    ["active_queues"],
    ["registered"],
    ["active"],
    ["clock"],
    ["reserved"],
  ]) {
    for (const format of ["json", "text"]) {
      const { stdout, stderr, exitCode } = await inspect(server, ...words, "--output", format);
      expect(exitCode, words.join(" ")).toBe(0);
      expect(stdout + stderr, words.join(" ")).not.toContain(secret);
      expect(stdout + stderr, words.join(" ")).not.toContain("nother@");
      expect(stdout).toContain(worker.node);
    }
  }
  const wrong = server.url().replace("-broker", "-wrong");
  const { stderr } = await probe(["inspect", "ping", "--broker", wrong, "--placement", "remote"]);
  expect(stderr).toContain("WRONGPASS");
  expect(stderr).not.toContain(secret);
});

test.concurrent("names the missing node, with exit code 1 and the others' answers", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery: "5.2.7" });
  await using asleep = await startWorker({ server });
  // It would send no more heartbeats.
  asleep.suspend();
  const named = await inspect(
    server,
    "stats",
    "--node",
    worker.node,
    "--node",
    asleep.node,
    "--timeout",
    "1s",
    "--output",
    "json",
  );
  expect(Object.keys(JSON.parse(named.stdout) as Results)).toEqual([worker.node]);
  expect(named.stderr).toMatch(new RegExp(`^no answer from ${asleep.node}: `));
  expect(named.exitCode).toBe(1);
  const all = await inspect(server, "clock", "--timeout", "1s");
  expect(all.stdout).toContain(worker.node);
  expect(all.stderr).toMatch(/^no answer from 1 subscriber with an unknown name: /);
  expect(all.exitCode).toBe(1);
  asleep.resume();
  expect(await asleep.answers()).toBe(true);
  expect(Object.keys(await inspected(server, "clock"))).toHaveLength(2);
  // It answers the messages from the time when it slept, and nobody removes these answers from the broker any more.
  // They were pings.
  const late = await leftAnswers(server);
  expect(late.length).toBeGreaterThan(0);
  for (const answer of late) expect(answer).toEqual({ [asleep.node]: { ok: "pong" } });
});

test.concurrent("names by its heartbeat a worker that refuses JSON", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const settings = { accept_content: ["pickle"] };
  const env = { C_FORCE_ROOT: "1" };
  await using refusing = await startWorker({
    server,
    settings,
    env,
    args: ["--without-mingle"],
    until: "listens",
  });
  const { stdout, stderr, exitCode } = await inspect(server, "ping", "--timeout", "3s", "--output", "json");
  expect(JSON.parse(stdout)).toEqual({ [worker.node]: { ok: "pong" } });
  expect(stderr).toMatch(new RegExp(`^no answer from ${refusing.node}: [^\n]*$`));
  expect(exitCode).toBe(1);
});

test.concurrent("finds broker and workers by itself in their container, and names a silent one", async () => {
  await using server = await startServer();
  await using container = await startContainer();
  await using worker = await container.startWorker({ server, name: "a@%h" });
  const alone = await container.run(EXECUTABLE, ["inspect", "clock"]);
  expect(alone.stdout).toContain(worker.node);
  expect(alone.exitCode).toBe(0);
  const settings = { worker_enable_remote_control: false };
  await using deaf = await container.startWorker({ server, name: "b@%h", settings, until: "ready" });
  const both = await container.run(EXECUTABLE, ["inspect", "clock"]);
  expect(both.stdout).toContain(worker.node);
  expect(both.stderr).toMatch(new RegExp(`^no answer from ${deaf.node}: `));
  expect(both.exitCode).toBe(1);
});

test.concurrent("two workers with one name are reported as two", async () => {
  await using server = await startServer();
  await using one = await startWorker({ server, name: "twin@world" });
  await using other = await startWorker({ server, name: "twin@world", until: "listens" });
  const { stdout, stderr, exitCode, ms } = await inspect(server, "stats", "--output", "json");
  const { pid } =
    (JSON.parse(stdout) as Readonly<Record<string, { readonly pid: number }>>)["twin@world"] ?? {};
  expect([one.pid, other.pid]).toContain(pid);
  expect(stderr).toContain("two or more workers are named twin@world");
  expect(exitCode).toBe(0);
  expect(ms).toBeLessThan(1_500);
  await expectNothingLeft(server);
});

test.concurrent("ends with 1 and an empty object if no worker is there", async () => {
  await using server = await startServer();
  const { stdout, stderr, exitCode, ms } = await inspect(server, "stats", "--output", "json");
  expect(stdout).toBe("{}");
  expect(stderr).toContain("no worker answers on /0.celery.pidbox");
  expect(exitCode).toBe(1);
  expect(ms).toBeLessThan(1_500);
});

test.concurrent("does not wait for a beat with remote control, which answers nothing but ping", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const { python } = await celeryVenv("5.7.0");
  const beat = await ProcessGroup.start({
    what: "beat",
    command: python,
    args: (folder) => [
      "-m",
      "celery",
      "-A",
      "tasks",
      "beat",
      "--enable-remote-control",
      "-s",
      `${folder}/schedule`,
    ],
    env: (folder) => ({
      PATH: "/usr/bin:/bin",
      HOME: folder,
      LANG: "C.UTF-8",
      PYTHONPATH: `${import.meta.dirname}/../world`,
      PYTHONDONTWRITEBYTECODE: "1",
      CELERY_BROKER_URL: server.url(),
    }),
  });
  try {
    await expect
      .poll(async () => Object.keys(await inspected(server, "ping")), { timeout: 20_000 })
      .toHaveLength(2);
    const { stdout, stderr, exitCode, ms } = await inspect(
      server,
      "stats",
      "--output",
      "json",
      "--timeout",
      "8s",
    );
    expect(Object.keys(JSON.parse(stdout) as Results)).toEqual([worker.node]);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(3_000);
    const [node = ""] = Object.keys(await inspected(server, "ping")).filter((name) => name !== worker.node);
    const named = await inspect(server, "stats", "--node", node);
    expect(named.stderr).toBe(`${node} is a beat: it answers only pings`);
    expect(named.exitCode).toBe(1);
  } finally {
    await beat.stop(0);
  }
});

test.concurrent.each(["pickle", "yaml", "msgpack"])("says which node answers in %s", async (serialiser) => {
  await using server = await startServer();
  const settings = { task_serializer: serialiser, accept_content: ["json", serialiser] };
  await using worker = await startWorker({ server, settings, env: { C_FORCE_ROOT: "1" }, until: "listens" });
  const { stdout, stderr, exitCode, ms } = await inspect(server, "stats", "--output", "json");
  expect(stdout).toBe("{}");
  expect(stderr).toBe(`${worker.node} answers in another format: its task_serializer is not json`);
  expect(exitCode).toBe(1);
  expect(ms).toBeLessThan(1_500);
  expect(await inspected(server, "ping")).toEqual({ [worker.node]: { ok: "pong" } });
});

test.concurrent("collects the replies of hundreds of nodes, and leaves none of them", async () => {
  await using server = await startServer();
  const nodes = Array.from({ length: 300 }, (_, number) => `n${number}@fleet`);
  const redis = server.client();
  const clients = nodes.map((node) => {
    const client = server.client();
    client.on("pmessage", (_pattern: string, _channel: string, text: string) => {
      answer(node, text);
    });
    return client;
  });
  function answer(node: string, text: string): void {
    const { body } = JSON.parse(text) as { readonly body: string };
    const { method, ticket, destination, reply_to } = JSON.parse(Buffer.from(body, "base64").toString()) as {
      readonly method: string;
      readonly ticket: string;
      readonly destination: readonly string[] | null;
      readonly reply_to: { readonly routing_key: string };
    };
    if (destination !== null && !destination.includes(node)) return;
    const result = { [node]: method === "ping" ? { ok: "pong" } : { clock: 7, padding: "x".repeat(2_000) } };
    const reply = {
      body: Buffer.from(JSON.stringify(result)).toString("base64"),
      "content-type": "application/json",
      headers: { ticket },
      properties: { body_encoding: "base64" },
    };
    void redis.lpush(reply_to.routing_key, JSON.stringify(reply));
  }
  await Promise.all(clients.map((client) => client.psubscribe("/0.celery.pidbox")));
  const found = await inspected(server, "clock", "--timeout", "10s");
  expect(Object.keys(found).sort()).toEqual([...nodes].sort());
  await expectNothingLeft(server);
  for (const client of [...clients, redis]) client.disconnect();
});

test.concurrent("refuses what changes workers, and words that mean nothing", async () => {
  const said = async (...words: readonly string[]) => {
    const { stdout, stderr, exitCode } = await probe(["inspect", ...words]);
    expect(stdout).toBe("");
    expect(exitCode).toBe(1);
    return stderr;
  };
  expect(await said("shutdown")).toContain("'shutdown' changes what workers do, and celery-probe only asks");
  expect(await said("purge")).toContain("only asks");
  expect(await said("objgraph")).toContain("changes something on the workers");
  expect(await said("actve")).toContain("unknown method 'actve': expected active?");
  expect(await said("everything")).toContain("celery-probe help inspect lists the methods");
  expect(await said("ping", "w1@h")).toContain(
    "unexpected word 'w1@h' after ping: for a node write --node w1@h",
  );
  expect(await said("query_task")).toContain("query_task needs ids");
  expect(await said("stats", "--with-defaults")).toContain("--with-defaults is for conf");
  expect(await said("stats", "--all")).toContain("--all is for conf");
  expect(await said("conf", "true")).toContain("--with-defaults for settings that are not set");
  expect(await said("conf", "timezone", "--all")).toContain(
    "--all has no effect on the one setting 'timezone'",
  );
  expect(await said()).toMatch(
    /^celery-probe: inspect needs a method: [^]*\n  active_queues +show the queues/,
  );
});

test.concurrent(
  "conf shows Celery's settings first, --all the project's too, a name one setting",
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server, app: "shop_in_one_file", also: DJANGO });
    await using plain = await startWorker({ server, settings: { task_time_limit: 60 } });
    const { stdout: short } = await inspect(server, "conf");
    expect(short).toContain("  CELERY_TASK_TIME_LIMIT = 900\n");
    expect(short).toContain("  CELERYD_POOL = prefork\n");
    expect(short).toContain("  task_time_limit = 60\n");
    expect(short).not.toContain("INSTALLED_APPS");
    expect(short).toMatch(/\n {2}the application's own: 1\d\d settings; --all shows them\n/);
    const { stdout: long } = await inspect(server, "conf", "--all", "--node", worker.node);
    expect(long.indexOf("INSTALLED_APPS")).toBeGreaterThan(long.indexOf("CELERY_TASK_TIME_LIMIT"));
    expect(long).not.toContain("--all");

    for (const name of ["task_time_limit", "CELERYD_TASK_TIME_LIMIT", "CELERY_TASK_TIME_LIMIT"]) {
      expect(await inspected(server, "conf", name), name).toEqual({
        [plain.node]: { task_time_limit: 60 },
        [worker.node]: { CELERY_TASK_TIME_LIMIT: 900 },
      });
    }
    // Nobody has set it.
    expect(await inspected(server, "conf", "task_acks_late")).toEqual({
      [plain.node]: { task_acks_late: false },
      [worker.node]: { task_acks_late: false },
    });
    const { stdout: own } = await inspect(server, "conf", "APPEND_SLASH");
    expect(own).toContain(`${plain.node}  no setting APPEND_SLASH`);
    expect((await inspect(server, "conf", "SECRET_KEY")).stdout).toContain("SECRET_KEY = ********");
    const unknown = await inspect(server, "conf", "task_tme_limit");
    expect(unknown).toMatchObject({ stdout: "", exitCode: 1 });
    expect(unknown.stderr).toBe("celery-probe: unknown setting 'task_tme_limit': expected task_time_limit?");
  },
);

test.concurrent.each(["5.0.5", "5.2.7", "5.7.0"] as const)(
  "every setting of Celery %s is known by its name of today and by its old one",
  async (version) => {
    const { python } = await celeryVenv(version);
    const { stdout } = await execa(python, ["-c", SETTINGS]);
    const settings = JSON.parse(stdout) as readonly (readonly [string, string, unknown])[];
    expect(settings.length).toBeGreaterThan(150);
    const conf = Object.fromEntries(settings.map(([name, , value]) => [name, value]));
    expect(sortSettings({ ...conf, own: 1 })?.applications).toEqual([["own", 1]]);
    const found = settings.map(([name, old]) => [findSetting(conf, name)?.[0], findSetting(conf, old)?.[0]]);
    expect(found).toEqual(settings.map(([name]) => [name, name]));
  },
);

const SETTINGS = `
import json
from celery.app import defaults
print(json.dumps([(n, defaults._TO_OLD_KEY[n], repr(o.default)) for n, o in defaults.flatten(defaults.NAMESPACES)]))
`;
