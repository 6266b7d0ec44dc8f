import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Program } from "./contained-program.ts";
import { databaseOf, type Mailbox, mailboxOf } from "./mailbox.ts";
import { answersPing, countListeners } from "./pidbox-by-hand.ts";
import { type GroupOptions, ProcessGroup } from "./process-group.ts";
import { celeryVenv } from "./python.ts";
import { type Tasks, taskMessage } from "./task-message.ts";
import {
  nodeName,
  workerArgs,
  workerBrokerUrl,
  workerEnvironment,
  type WorkerOptions,
  workerSettings,
} from "./worker-command.ts";

/** A real Celery worker for one test. Ends with `await using`, `stop()`, or with this process. */
export class Worker implements AsyncDisposable {
  /** Full node name. */
  readonly node: string;
  /** The number of the main process. */
  readonly pid: number;
  readonly queue: string;
  readonly channel: string;
  /** A client of the database that it fetches from. With Sentinels, it uses the current master. */
  readonly redis: Redis;
  readonly #group: Program;
  readonly #keyPrefix: string;
  readonly #replies: Redis;

  /** Only `startWorker` makes one. */
  constructor(
    group: Program,
    redis: Redis,
    node: string,
    queue: string,
    mailbox: Mailbox,
    replies: Redis = redis,
  ) {
    this.#group = group;
    this.redis = redis;
    this.pid = group.pid;
    this.node = node;
    this.queue = queue;
    this.channel = mailbox.channel;
    this.#keyPrefix = mailbox.keyPrefix;
    this.#replies = replies;
  }

  /** Whether it answers a ping in time. The probe is not used for this. */
  answers(timeoutMs = 10_000): Promise<boolean> {
    const elsewhere = { keyPrefix: this.#keyPrefix, replies: this.#replies };
    return answersPing(this.redis, this.channel, this.node, timeoutMs, elsewhere);
  }

  /** Its direct children: the pool processes of prefork. */
  children(): Promise<number[]> {
    return this.#group.children();
  }

  /** Output so far. */
  log(): string {
    return this.#group.log;
  }

  get isRunning(): boolean {
    return this.#group.isRunning;
  }

  /** How the main process ended. Waits for the end. */
  get ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.#group.ended;
  }

  /** Puts a task on a queue of this worker. Resolves with the task's id. */
  submit<Name extends keyof Tasks>(task: Name, ...args: Tasks[Name]): Promise<string> {
    return this.submitTo(this.queue, task, ...args);
  }

  async submitTo<Name extends keyof Tasks>(queue: string, task: Name, ...args: Tasks[Name]): Promise<string> {
    const message = taskMessage(queue, task, args);
    await this.redis.lpush(`${this.#keyPrefix}${queue}`, message.element);
    return message.id;
  }

  /** Resolves when the task's code runs. @throws Error with the log's end after `timeoutMs` */
  async taskStarted(id: string, timeoutMs?: number): Promise<void> {
    await this.waitForLog(new RegExp(`began ${id}`), timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Resolves when the worker has reported success. @throws Error with the log's end after `timeoutMs` */
  async taskSucceeded(id: string, timeoutMs?: number): Promise<void> {
    await this.waitForLog(new RegExp(`\\[${id}\\] succeeded`), timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** See {@link ProcessGroup.waitForLog}. */
  waitForLog(pattern: RegExp, options?: { timeoutMs?: number; from?: number }): Promise<RegExpExecArray> {
    return this.#group.waitForLog(pattern, options);
  }

  /** Sends a signal to the main process alone. */
  kill(signal: NodeJS.Signals): void {
    this.#group.signal(signal);
  }

  /** Sends SIGSTOP to the main process and all its children. */
  suspend(): void {
    this.#group.signalAll("SIGSTOP");
  }

  resume(): void {
    this.#group.signalAll("SIGCONT");
  }

  /** Stops it like an orchestrator: sends SIGTERM, and after `graceMs` SIGKILL to the whole group. */
  async stop(graceMs = 5_000): Promise<void> {
    await this.#group.stop(graceMs);
    this.redis.disconnect();
    this.#replies.disconnect();
  }

  /** Sends SIGKILL to the whole group. For tests that no longer need the worker. */
  killAll(): Promise<void> {
    return this.stop(0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.killAll();
  }
}

let count = 0;

export const DJANGO = { name: "shop", packages: ["django==5.2.19"] };

/**
 * Starts a worker of `tasks.py`. Resolves when it consumes and (see `until`) can be asked.
 *
 * @throws Error with the end of its log if it is not ready in time
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const pool = options.pool ?? "prefork";
  const version = options.celery ?? "5.7.0";
  const venv = await celeryVenv(version, {
    eventlet: pool === "eventlet",
    ...(options.python === undefined ? {} : { python: options.python }),
    ...(options.inDjango === true ? { also: DJANGO } : {}),
    ...(options.redisPy === undefined ? {} : { redisPy: options.redisPy }),
    ...(options.also === undefined ? {} : { also: options.also }),
  });
  const brokerUrl = workerBrokerUrl(options);
  const db = databaseOf(brokerUrl);
  const mailbox = mailboxOf(version, brokerUrl, workerSettings(options));
  const name = options.name === undefined ? `w${process.pid}x${++count}@world` : options.name;
  const redis = clientOf(options, db);
  const replies = options.writesTo?.client(db);
  const listenersBefore = await countListeners(redis, mailbox.channel);
  const program: GroupOptions = {
    what: `worker:${version}-${pool}`,
    command: venv.python,
    args: () => workerArgs(options, pool, name),
    env: (folder) => workerEnvironment(options, brokerUrl, folder),
  };
  const group: Program = await (options.within?.start(program) ?? ProcessGroup.start(program));
  const worker = new Worker(
    group,
    redis,
    nodeName(name, options.within?.hostname),
    options.queues?.[0] ?? "celery",
    mailbox,
    replies,
  );
  try {
    await ready(worker, group, options, listenersBefore);
    return worker;
  } catch (error) {
    await worker.killAll();
    throw error;
  }
}

function clientOf(options: WorkerOptions, db: number): Redis {
  if (options.server !== undefined) return options.server.client(db);
  if (options.sentinels !== undefined) return options.sentinels.client(db, masterName(options));
  const redis = new Redis(options.brokerUrl);
  redis.on("error", () => undefined);
  return redis;
}

function masterName(options: WorkerOptions): string | undefined {
  const transport = workerSettings(options)["broker_transport_options"] as
    { master_name?: string } | undefined;
  return transport?.master_name;
}

async function ready(
  worker: Worker,
  group: Program,
  options: WorkerOptions,
  listenersBefore: number,
): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  const left = (): number => deadline - performance.now();
  if (options.until === "started") return;
  await group.waitForLog(/ ready\.$/m, { timeoutMs: left() });
  const until = options.until ?? "answers";
  if (until === "answers" && !(await worker.answers(left()))) {
    throw group.problem("calls itself ready but answers no ping");
  }
  if (until !== "listens") return;
  while ((await countListeners(worker.redis, worker.channel)) <= listenersBefore) {
    if (left() < 0) throw group.problem("calls itself ready but does not listen");
    await wait(10);
  }
}

/**
 * Checks that a test has not harmed the worker: it runs, it listens, and it takes and finishes a task.
 *
 * @throws Error with the end of its log
 */
export async function assertWorkerIsWell(worker: Worker): Promise<void> {
  if ((await countListeners(worker.redis, worker.channel)) < 1) {
    throw new Error(`${worker.node} no longer listens; the end of its log:\n${worker.log().slice(-3000)}`);
  }
  await worker.taskSucceeded(await worker.submit("add", 2, 3));
}
