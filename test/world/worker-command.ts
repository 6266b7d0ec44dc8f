import { hostname } from "node:os";
import type { Program } from "./contained-program.ts";
import { databaseOf } from "./mailbox.ts";
import type { CeleryVersion } from "./pairs.ts";
import type { GroupOptions } from "./process-group.ts";
import type { Sentinels } from "./sentinel.ts";
import type { Server } from "./server.ts";

export type Pool = "prefork" | "solo" | "threads" | "gevent" | "eventlet";

/**
 * A server or Sentinels of the test world, or a URL that ioredis understands. With both, the worker gets the URL (of a
 * proxy, a socket, a list) and the test gets the server.
 */
export type WorkerBroker =
  | { readonly server: Server; readonly sentinels?: undefined; readonly brokerUrl?: string }
  | { readonly server?: undefined; readonly sentinels: Sentinels; readonly brokerUrl?: string }
  | { readonly server?: undefined; readonly sentinels?: undefined; readonly brokerUrl: string };

/** The part of a container that a worker needs. */
export interface WorkerPlace {
  readonly hostname: string;
  start(options: GroupOptions): Promise<Program>;
}

export type WorkerOptions = WorkerBroker & {
  /** Default: the newest. */
  readonly celery?: CeleryVersion;
  /** Another redis-py than the pair's, e.g. one that supports Sentinel. */
  readonly redisPy?: string;
  /** Default: prefork. */
  readonly pool?: Pool;
  /** Default: 1. */
  readonly concurrency?: number;
  /** The value of `-n`, including `%h`; null: no `-n`. Default: a unique name. */
  readonly name?: string | null;
  /** The value of `-Q`; default: Celery's own queue. */
  readonly queues?: readonly string[];
  /** Further arguments of `celery worker`. */
  readonly args?: readonly string[];
  /** Arguments before `worker`, e.g. `["-b", url]`. */
  readonly globalArgs?: readonly string[];
  /**
   * Celery's settings, by their lower-case names. The settings for Sentinels are added automatically. `CERT_NONE` and
   * the like in `broker_use_ssl` become Python's constants.
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Added to an environment that is bare otherwise; undefined removes a default variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The value of `-A`, if not `tasks`. Then the worker does not have the tasks of `tasks.py`. */
  readonly app?: string;
  /** Packages that it needs besides Celery; see `VenvOptions`. */
  readonly also?: { readonly name: string; readonly packages: readonly string[] };
  /**
   * Its application is a Django project, `shop/`. The project's settings read the broker from `REDIS_HOST` and similar
   * variables.
   */
  readonly inDjango?: true;
  /** A Python program that runs instead of Celery. It gets the words from `worker` on. */
  readonly script?: string;
  /** An interpreter other than the one found. */
  readonly python?: string;
  /**
   * The server for its replies and events, if it is not the one that it fetches from. Set by CELERY_BROKER_WRITE_URL.
   */
  readonly writesTo?: Server;
  /**
   * What to wait for after the line "ready.".
   *
   * - `answers`: an answer to a ping (default).
   * - `listens`: one more listener on the channel, for workers that share a name.
   * - `ready`: nothing more, for workers whose remote control is off or unreadable.
   * - `started`: does not even wait for the line.
   */
  readonly until?: "answers" | "listens" | "ready" | "started";
  /** Where it runs; default: beside this process. */
  readonly within?: WorkerPlace;
  /** Default: 30,000. */
  readonly timeoutMs?: number;
};

/** The arguments of Python. */
export function workerArgs(options: WorkerOptions, pool: Pool, name: string | null): string[] {
  const app = options.app ?? (options.inDjango === true ? "shop" : "tasks");
  const program = options.script === undefined ? ["-m", "celery", "-A", app] : [options.script];
  const args = [...program, ...(options.globalArgs ?? []), "worker", "-l", "INFO", "-P", pool];
  args.push("-c", String(options.concurrency ?? 1));
  if (name !== null) args.push("-n", name);
  if (options.queues !== undefined) args.push("-Q", options.queues.join(","));
  return [...args, ...(options.args ?? [])];
}

/** The worker's broker URL. */
export function workerBrokerUrl(options: WorkerOptions): string {
  if (options.server !== undefined) return options.brokerUrl ?? options.server.url();
  if (options.sentinels !== undefined) return options.brokerUrl ?? options.sentinels.url();
  return options.brokerUrl;
}

/** Its settings, including those for its broker. */
export function workerSettings({ sentinels, settings = {} }: WorkerOptions): Record<string, unknown> {
  if (sentinels === undefined) return settings;
  const own = settings["broker_transport_options"] ?? {};
  const needed = sentinels.settings();
  return {
    ...needed,
    ...settings,
    broker_transport_options: { ...needed["broker_transport_options"], ...own },
  };
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
    ...(options.inDjango === true ? {} : brokerVariables(brokerUrl, options.writesTo)),
    TASKS_SETTINGS: JSON.stringify(workerSettings(options)),
    ...options.env,
  };
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function brokerVariables(brokerUrl: string, writesTo: Server | undefined): Record<string, string> {
  if (writesTo === undefined) return { CELERY_BROKER_URL: brokerUrl };
  return { CELERY_BROKER_READ_URL: brokerUrl, CELERY_BROKER_WRITE_URL: writesTo.url(databaseOf(brokerUrl)) };
}

/** Celery's node name for a value of `-n`: without `@`, the value is the host. */
export function nodeName(name: string | null, host: string = hostname()): string {
  const full = name === null ? `celery@${host}` : name.replaceAll("%h", host);
  return full.includes("@") ? full : `celery@${full}`;
}
