import type { WorkerProcess } from "../worker/survey.ts";

/** How long a worker may be silent if nobody says, in milliseconds. */
const DEFAULT_GRACE_MS = 300_000;

/** A worker that kills a task at its hard limit is back within this time, in milliseconds. */
const MARGIN_MS = 60_000;

/** The variables that set a hard time limit, in seconds: Celery's own for `--time-limit`, and two that images use. */
const LIMIT_VARIABLES = [
  "CELERY_WORKER_TIME_LIMIT",
  "CELERY_TASK_TIME_LIMIT",
  "CELERY_TASK_HARD_TIME_LIMIT",
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The pool by the command line, or by what Celery reads instead of it; null: not said. */
export function poolOf({ command, environment }: WorkerProcess, env: Environment): string | null {
  return command.pool ?? ((environment ?? env)["CELERY_WORKER_POOL"] || null);
}

/**
 * For how long a worker may be silent, in milliseconds: a hard time limit that is longer than the usual grace makes
 * it longer, as tasks may then take so long. A solo pool enforces no limit.
 *
 * @param given what the user asked for; null: nothing
 * @param env ours, where the worker's own may not be read
 */
export function graceOf(given: number | null, worker: WorkerProcess, env: Environment): number {
  if (given !== null) return given;
  if (poolOf(worker, env) === "solo") return DEFAULT_GRACE_MS;
  const environment = worker.environment ?? env;
  const [variable] = LIMIT_VARIABLES.map((name) => Number(environment[name])).filter((limit) => limit > 0);
  const limitS = worker.command.timeLimitS ?? variable ?? 0;
  return Math.max(DEFAULT_GRACE_MS, limitS * 1_000 + MARGIN_MS);
}

/** How many tasks it may have in hand at once; null where nothing shows it. */
export function slotsOf(
  { command, environment }: WorkerProcess,
  children: number,
  env: Environment,
): number | null {
  const variable = Number((environment ?? env)["CELERY_WORKER_CONCURRENCY"]);
  return command.concurrency ?? (variable > 0 ? variable : children > 0 ? children : null);
}

/** The queues it was told to consume; null: none, so that its application's settings decide. */
export function queuesOf(
  { command, environment }: WorkerProcess,
  env: Environment,
): readonly string[] | null {
  const variable = (environment ?? env)["CELERY_WORKER_QUEUES"];
  return command.queues ?? (variable ? variable.split(",") : null);
}

/** Whether it has a subscription to the gossip of others: only where its whole command line is known. */
export function gossips(worker: WorkerProcess, env: Environment): boolean {
  return isKnownWhole(worker) && !worker.command.withoutGossip && !isSet("GOSSIP", worker, env);
}

/** Whether it sends heartbeats: only where its whole command line is known. */
export function beats(worker: WorkerProcess, env: Environment): boolean {
  return isKnownWhole(worker) && !worker.command.withoutHeartbeat && !isSet("HEARTBEAT", worker, env);
}

function isKnownWhole({ foundBy }: WorkerProcess): boolean {
  return foundBy === "command" || foundBy === "title";
}

function isSet(what: "GOSSIP" | "HEARTBEAT", { environment }: WorkerProcess, env: Environment): boolean {
  return Boolean((environment ?? env)[`CELERY_WORKER_WITHOUT_${what}`]);
}
