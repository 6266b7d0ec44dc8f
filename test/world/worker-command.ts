import { hostname } from "node:os";
import type { Program } from "./contained-program.ts";
import type { CeleryVersion } from "./pairs.ts";
import type { GroupOptions } from "./process-group.ts";
import type { Server } from "./server.ts";

export type Pool = "prefork" | "solo" | "threads" | "gevent" | "eventlet";

/** A server of the test world, or any URL; with both, the worker gets the URL (a proxy's) and the test the server. */
export type WorkerBroker =
  | { readonly server: Server; readonly brokerUrl?: string }
  | { readonly server?: undefined; readonly brokerUrl: string };

/** A container, as far as a worker needs to know it. */
export interface WorkerPlace {
  readonly hostname: string;
  start(options: GroupOptions): Promise<Program>;
}

export type WorkerOptions = WorkerBroker & {
  /** Default: the newest. */
  readonly celery?: CeleryVersion;
  /** Default: prefork. */
  readonly pool?: Pool;
  /** Default: 1. */
  readonly concurrency?: number;
  /** What `-n` gets, `%h` included; null: no `-n`. Default: a name nobody else has. */
  readonly name?: string | null;
  /** What `-Q` gets; default: Celery's own queue. */
  readonly queues?: readonly string[];
  /** Further arguments of `celery worker`. */
  readonly args?: readonly string[];
  /** Arguments in front of `worker`, e.g. `["-b", url]`. */
  readonly globalArgs?: readonly string[];
  /** Celery's settings, by their lower-case names. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Added to the otherwise bare environment; undefined removes what is there by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A Python program that takes Celery's place: it gets the words from `worker` on. */
  readonly script?: string;
  /** An interpreter other than the one found. */
  readonly python?: string;
  /** Where it listens, if its settings change that. */
  readonly channel?: string;
  /**
   * What is awaited beyond the line "ready.": an answer to a ping (default), one more listener on the channel (for
   * workers that share a name), or nothing (remote control off or unreadable). `started`: not even the line.
   */
  readonly until?: "answers" | "listens" | "ready" | "started";
  /** Where it runs; default: beside this process. */
  readonly within?: WorkerPlace;
  /** Default: 30,000. */
  readonly timeoutMs?: number;
};

/** The arguments of Python. */
export function workerArgs(options: WorkerOptions, pool: Pool, name: string | null): string[] {
  const program = options.script === undefined ? ["-m", "celery", "-A", "tasks"] : [options.script];
  const args = [...program, ...(options.globalArgs ?? []), "worker", "-l", "INFO", "-P", pool];
  args.push("-c", String(options.concurrency ?? 1));
  if (name !== null) args.push("-n", name);
  if (options.queues !== undefined) args.push("-Q", options.queues.join(","));
  return [...args, ...(options.args ?? [])];
}

/** The whole environment; `folder` is its home. */
export function workerEnvironment(
  options: WorkerOptions,
  brokerUrl: string,
  folder: string,
): Record<string, string> {
  const env: Record<string, string | undefined> = {
    PATH: "/usr/bin:/bin",
    HOME: folder,
    LANG: "C.UTF-8",
    PYTHONPATH: import.meta.dirname,
    // The folder of tasks.py belongs to the repository.
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONUNBUFFERED: "1",
    CELERY_BROKER_URL: brokerUrl,
    TASKS_SETTINGS: JSON.stringify(options.settings ?? {}),
    ...options.env,
  };
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** What Celery makes of `-n`: without `@` the word is the host. */
export function nodeName(name: string | null, host: string = hostname()): string {
  const full = name === null ? `celery@${host}` : name.replaceAll("%h", host);
  return full.includes("@") ? full : `celery@${full}`;
}
