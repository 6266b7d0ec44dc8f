import type { Redis } from "ioredis";
import type { ProcessGroup } from "./process-group.ts";
import type { VenvOptions } from "./python.ts";
import type { Server, ServerOptions } from "./server.ts";
import { taskMessage } from "./task-message.ts";

/** How to make a worker or a beat of `failing/failing.py` fail. */
export interface Failure {
  /** The arguments of `celery`. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly server?: ServerOptions;
  readonly also?: VenvOptions["also"];
  /** Default: the server's; '' for none. */
  readonly brokerUrl?: (server: Server) => string;
  /** Runs it apart: with a read-only folder, or in a network without any listener. */
  readonly apart?: "read-only" | "no-network";
  /** A file in its folder, and its content. */
  readonly file?: readonly [name: string, text: string];
  /** Runs before the start. */
  readonly prepare?: (admin: Redis, server: Server) => Promise<unknown>;
  /** The line of the log after which `afterwards` may begin; default: it is ready. */
  readonly ready?: RegExp;
  readonly afterwards?: (admin: Redis, program: ProcessGroup) => Promise<unknown>;
  /** The last line that the log must have; undefined: the program ends. */
  readonly until?: RegExp;
}

const WORKER = ["-A", "failing", "worker", "-c", "1", "-n", "w@world", "-l", "INFO"];
const SOLO = [...WORKER, "-P", "solo"];
const BEAT = ["-A", "failing", "beat", "-l", "INFO"];
const REDBEAT = { name: "redbeat", packages: ["celery-redbeat==2.3.2"] };
const LOGGERS = {
  name: "loggers",
  packages: ["python-json-logger==3.3.0", "colorlog==6.9.0", "structlog==25.4.0", "loguru==0.7.3"],
};

/** Submits a message of one of its tasks. */
function submit(admin: Redis, task: string, ...args: readonly number[]): Promise<number> {
  const { element } = taskMessage("celery", "add", [0, 0]);
  const message = JSON.parse(element) as { body: string; headers: Record<string, unknown> };
  message.headers["task"] = `failing.${task}`;
  message.headers["ignore_result"] = false;
  message.body = Buffer.from(
    JSON.stringify([args, {}, { callbacks: null, errbacks: null, chain: null, chord: null }]),
  ).toString("base64");
  return admin.lpush("celery", JSON.stringify(message));
}

/** Logs at INFO with a traceback, then runs one task that fails. */
function inFormat(log: string): Failure {
  return {
    words: WORKER,
    env: { FAILING_LOG: log },
    also: LOGGERS,
    ready: /ready\./,
    async afterwards(admin) {
      await submit(admin, "notes");
      await submit(admin, "full");
    },
    until: /No space left[^]*No space left/,
  };
}

export const FAILURES: Readonly<Record<string, Failure>> = {
  "bad-attribute": { words: ["-A", "failing:nobody", "worker"] },
  "no-celery": { words: ["-A", "json", "worker"] },
  "dotted-attribute": { words: ["-A", "failing.nobody", "worker"] },
  "bad-module": { words: ["-A", "no_such_shop", "worker"] },
  "key-error": { words: WORKER, env: { FAILING: "key-error" } },
  "improperly-configured": {
    words: WORKER,
    env: { FAILING: "django" },
    also: { name: "django", packages: ["django==5.2.8"] },
  },
  circular: { words: WORKER, env: { FAILING: "circular" } },
  syntax: { words: WORKER, env: { FAILING: "syntax" } },
  "no-redis": { words: WORKER, env: { FAILING: "no-redis" }, until: /redis[^]*\n(?=\S*$)/ },
  "bad-option": { words: [...WORKER, "--concurency", "4"] },
  "bad-value": { words: [...WORKER, "-P", "forks"] },
  "app-behind": { words: ["worker", "-A", "failing"] },
  "pid-file": { words: [...WORKER, "--pidfile", "w.pid"], file: ["w.pid", `${process.pid}\n`] },
  "pid-file-beat": { words: [...BEAT, "--pidfile", "w.pid"], file: ["w.pid", `${process.pid}\n`] },
  "read-only": { words: [...BEAT, "-s", "schedule"], apart: "read-only" },
  "read-only-pid": { words: [...WORKER, "--pidfile", "w.pid"], apart: "read-only" },
  "lock-lost": {
    words: [...BEAT, "-S", "redbeat.RedBeatScheduler"],
    also: REDBEAT,
    ready: /Acquired lock/,
    afterwards: (admin) => admin.del("redbeat::lock"),
    until: /Error[^]*own[^]*\n$/,
  },
  "corrupt-schedule": {
    words: [...BEAT, "-s", "schedule"],
    file: ["schedule", "no schedule at all"],
    until: /orrupt[^]*\n/,
  },
  "result-store": {
    words: WORKER,
    env: { FAILING_BACKEND: "redis://127.0.0.1:1/0" },
    afterwards: (admin) => submit(admin, "fine"),
    until:
      /Retry limit exceeded|Redis lost: Retry \(2|backends[^]*exceptions\.ConnectionError: Error[^\n]*\n/,
  },
  operational: {
    words: WORKER,
    afterwards: (admin) => submit(admin, "publish"),
    until: /OperationalError[^]*\n$/,
  },
  misconf: {
    words: SOLO,
    server: { args: ["--enable-protected-configs", "yes"] },
    async prepare(admin) {
      await admin.config("SET", "dir", "/proc");
      await admin.config("SET", "save", "900 1");
      await admin.set("a", 1);
      await admin.bgsave().catch(() => undefined);
      for (let failed = false; !failed;) {
        failed = (await admin.info("persistence")).includes("rdb_last_bgsave_status:err");
      }
    },
    until: /MISCONF[^]*\n$/,
  },
  readonly: {
    words: SOLO,
    prepare: (admin) => admin.call("REPLICAOF", "127.0.0.1", "1"),
    until: /(?:READONLY|read only)[^]*\n$/,
  },
  crossslot: {
    words: [...SOLO, "-Q", "mails,orders"],
    server: { args: ["--cluster-enabled", "yes"] },
    async prepare(admin) {
      await admin.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
      for (let isUp = false; !isUp;) isUp = String(await admin.call("CLUSTER", "INFO")).includes("state:ok");
    },
    until: /(?:CROSSSLOT|same slot|SELECT|multiple keys)[^]*\n$/i,
  },
  "max-clients": {
    words: SOLO,
    prepare: (admin) => admin.config("SET", "maxclients", "1"),
    until: /max number of clients[^]*\n$/,
  },
  loading: {
    words: SOLO,
    // Loads its only list for a minute, and answers meanwhile.
    server: { args: ["--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"] },
    async prepare(admin, server) {
      await admin.call("DEBUG", "POPULATE", "20000", "key", "64");
      await admin.config("SET", "key-load-delay", "3000");
      admin.call("DEBUG", "RELOAD").catch(() => undefined);
      const other = server.client(0, { enableReadyCheck: false });
      for (let isLoading = false; !isLoading;) {
        isLoading = (await other.info("persistence")).includes("loading:1");
      }
    },
    until: /(?:LOADING|loading the dataset|BusyLoading)[^]*\n$/,
  },
  noperm: {
    words: SOLO,
    prepare: (admin) =>
      admin.call(
        "ACL",
        "SETUSER",
        "narrow",
        "on",
        ">pw",
        "~*",
        "+@all",
        "-brpop",
        "-subscribe",
        "-psubscribe",
      ),
    brokerUrl: (server) => server.url(0, { username: "narrow", password: "pw" }),
    until: /permissions[^]*\n$/,
  },
  "no-broker": {
    words: SOLO,
    brokerUrl: () => "",
    apart: "no-network",
    until: /amqp:[^]*Cannot connect[^]*\n$/,
  },
  unrecoverable: {
    words: SOLO,
    async afterwards(admin, program) {
      program.signal("SIGSTOP");
      await submit(admin, "fine");
      await admin.config("SET", "maxmemory", "1");
      program.signal("SIGCONT");
    },
  },
  "signal-9": dying(9),
  "signal-11": dying(11),
  "signal-15": dying(15),
  "format-celery": inFormat("celery"),
  "format-json": inFormat("json"),
  "format-json-level-first": inFormat("json-level-first"),
  "format-structlog": inFormat("structlog"),
  "format-structlog-json": inFormat("structlog-json"),
  "format-colorlog": inFormat("colorlog"),
  "format-loguru": inFormat("loguru"),
};

function dying(signal: number): Failure {
  return {
    words: WORKER,
    async afterwards(admin, program) {
      await submit(admin, "die", signal);
      await program.waitForLog(/exited prematurely/, { timeoutMs: 90_000 });
      await submit(admin, "fine");
    },
    until: /failing\.fine\[[^\n]* succeeded/,
  };
}
