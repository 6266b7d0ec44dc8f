import { poolWanted } from "./pool.ts";
import { positive, settingOf, type Sources } from "./settings.ts";
import { timeLimits } from "./time-limits.ts";
import { type OptionsGiven, variableOf } from "./worker-options.ts";

/** In milliseconds. How long a worker may be silent by default. */
export const DEFAULT_GRACE_MS = 300_000;

/** In milliseconds. A worker that kills a task at its hard limit answers again within this time. */
const MARGIN_MS = 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** How a worker was started. */
export interface Started {
  readonly command: OptionsGiven;
  /** Null: the variables may not be read. */
  readonly environment: Environment | null;
}

/**
 * What is known about a worker without asking it. `env` is our own environment, used if the worker's may not be read.
 */
export function sourcesOf({ command, environment }: Started, env: Environment): Sources {
  return {
    program: "worker",
    options: command.values,
    environment: environment ?? env,
    settings: null,
  };
}

/** The pool that the command line or a variable names. Null: neither does. */
export function poolOf(worker: Started, env: Environment): string | null {
  return poolWanted(sourcesOf(worker, env))?.pool ?? null;
}

/**
 * How long a worker may be silent, in milliseconds. A hard time limit above the default makes it longer, because tasks
 * may take that long. A solo pool enforces no limit.
 *
 * @param given what the user asked for. Null: nothing
 */
export function graceOf(given: number | null, worker: Started, env: Environment): number {
  if (given !== null) return given;
  if (poolOf(worker, env) === "solo") return DEFAULT_GRACE_MS;
  const { hard } = timeLimits({ ...sourcesOf(worker, env), pool: null, version: null });
  return Math.max(DEFAULT_GRACE_MS, hard.seconds * 1_000 + MARGIN_MS);
}

/** How many tasks the worker may run at once. Null: not known. 0 and `auto` leave the number to the machine. */
export function slotsOf(worker: Started, children: number, env: Environment): number | null {
  const sources = sourcesOf(worker, env);
  const { value } = settingOf("worker_concurrency", sources) ?? {};
  return positive(value) || (children > 0 ? children : null);
}

/** The queues that the worker was told to consume. Null: the application's settings decide. */
export function queuesOf({ command, environment }: Started, env: Environment): readonly string[] | null {
  const said = command.values.get("queues") ?? (environment ?? env)[variableOf("worker", "queues")];
  return said ? said.split(",") : null;
}

/** A worker whose command line may be incomplete. */
export interface Found extends Started {
  readonly foundBy: "command" | "title" | "pidfile" | "connections";
}

/** Whether the worker subscribes to other workers' gossip. False if its command line may be incomplete. */
export function gossips(worker: Found, env: Environment): boolean {
  return isKnownWhole(worker) && !isWithout("without-gossip", worker, env);
}

/** Whether the worker sends heartbeats. False if its command line may be incomplete. */
export function beats(worker: Found, env: Environment): boolean {
  return isKnownWhole(worker) && !isWithout("without-heartbeat", worker, env);
}

function isKnownWhole({ foundBy }: Found): boolean {
  return foundBy === "command" || foundBy === "title";
}

function isWithout(flag: string, { command, environment }: Started, env: Environment): boolean {
  return command.flags.has(flag) || Boolean((environment ?? env)[variableOf("worker", flag)]);
}
