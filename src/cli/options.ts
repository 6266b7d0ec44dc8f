import { redact } from "../broker/url.ts";
import { BROKER } from "./broker-options.ts";
import { onOffSwitch, type Option, optional, type OptionTable, valued } from "./option.ts";
import { count, duration, filePath, nodes, oneOf, queueLimit, type QueueLimit, queues } from "./values.ts";

/**
 * All options that have a value in the configuration, in the order of their groups. Parsing, help, documentation,
 * completion and tests read this table. Each option can also be set by the variable `CELERY_PROBE_…` with its name.
 */
export const OPTIONS = {
  node: {
    argument: "NAME",
    parse: nodes,
    // A node's name contains an @, so only URLs are masked.
    show: (text: string) => (text.includes("://") ? redact(text) : text),
    default: [],
    repeats: true,
    group: "worker",
    summary: "node that must be alive",
    otherwise: "every worker in sight, or celery@<host name>",
    details:
      "The full name, or what the worker was given as -n: %h, %n and %d are expanded as Celery does. Repeat the option, " +
      "or separate names by commas: each of them must be alive. Without it the probe finds the workers of this container " +
      "by their processes, and works out their names by Celery's rules.",
  } satisfies Option<readonly string[]>,
  any: onOffSwitch({
    group: "worker",
    summary: "accept the answer of any worker on this broker",
    details: "For monitors. It says nothing about the worker of this container. Not together with --node.",
  }),
  "min-nodes": optional("N", count(1, 100_000), {
    group: "worker",
    summary: "ask every worker on this broker; at least N must answer",
    details:
      "For monitors. Implies --any. A beat that answers pings (Celery 5.7, --enable-remote-control) is not counted under " +
      "its default name celerybeat@…. Under another name it counts, as its answer looks like a worker's.",
  }),
  placement: valued(
    "PLACE",
    oneOf("auto", "inside", "beside", "remote"),
    { value: "auto", text: "auto" },
    {
      group: "worker",
      summary: "where the probe runs: inside the worker's container, beside it, or remote",
      details:
        "beside: in a container of its own that shares the worker's PID namespace. With no worker in sight the verdict is " +
        "undecided, never dead. remote: only the broker is in sight, so busy and dead cannot be told apart. auto: inside, " +
        "if a worker is in sight or the node's host part is this host name; otherwise remote.",
    },
  ),
  pidfile: optional("PATH", filePath, {
    group: "worker",
    summary: "file with the worker's process number, as celery --pidfile writes it",
    details:
      "For a worker that neither its command line nor its connections reveal. It names one process, so it excludes " +
      "several --node, --any and --min-nodes. PATH is a regular file, or a link to one.",
  }),
  ...BROKER,
  "busy-grace": optional("DURATION", duration, {
    group: "verdict",
    summary: "longest silence of a busy worker; after it the worker is hung",
    otherwise: "5m, or its hard time limit plus 1m if that is longer",
    details:
      "A task can block the worker's main loop. The worker is busy for this long, and hung after it. The default reads the " +
      "hard time limit of the worker's command line or environment. A solo pool enforces no limit, so there it is 5m.",
  }),
  "start-grace": optional("DURATION", duration, {
    group: "verdict",
    summary: "time that a new worker may be without a connection",
    otherwise: "none",
    details:
      "Counted from the worker's start. It is `starting` for this long. Compose's start_period and Kubernetes' startupProbe do the same.",
  }),
  "on-unknown": valued(
    "STATUS",
    oneOf("unhealthy", "healthy"),
    { value: "unhealthy", text: "unhealthy" },
    {
      group: "verdict",
      summary: "exit code for unknown; healthy exits 0 while the worker's process is alive",
      details:
        "healthy keeps a broker's outage from restarting a fleet. It counts only where a live worker process is in sight. " +
        "The line still says unknown.",
    },
  ),
  strict: onOffSwitch({
    group: "verdict",
    summary: "count a worker that does not answer as unhealthy, even when it is busy",
  }),
  "state-file": optional("PATH", filePath, {
    group: "verdict",
    summary: "file to note since when a worker is silent, where nothing else shows it",
    details:
      "Behind address translation, or with CLIENT LIST forbidden, the silence of a busy worker cannot be measured. This " +
      "file measures it from one run to the next, by a clock that nobody can set. It also notes that a worker was stopped: " +
      "its silence counts from then. The probe removes the file when the worker answers. PATH is a file that the probe " +
      "has written, or a name that is free: no device (/dev/null), no pipe, no link. Leave the option out to note nothing. " +
      "Only the probe's user should be able to write to its folder.",
  }),
  "accept-shared": optional("DURATION", duration, {
    group: "verdict",
    summary: "oldest news from serve --share that the worker is alive",
    otherwise: "none, so the worker is asked",
    details:
      "The check reads one field from the broker and sends no ping. It asks the worker as usual when the field is missing or " +
      "older, or says anything but alive. It also asks when the worker's process is not seen to run. One and a half " +
      "intervals of `serve` are a good value: 45s. Not together with --require-consuming, --max-task-age, " +
      "--max-queue-length, --any or --min-nodes: only the workers themselves can answer these.",
  }),
  timeout: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    {
      group: "verdict",
      summary: "longest wait for the answer to one ping",
    },
  ),
  retries: valued(
    "N",
    count(0, 100),
    { value: 1, text: "1" },
    {
      group: "verdict",
      summary: "more pings when no answer came",
    },
  ),
  deadline: valued(
    "DURATION",
    duration,
    { value: 5_000, text: "5s" },
    {
      group: "verdict",
      summary: "hard limit for the whole run",
      details: "Counted from the start of the process. It cuts --timeout and --retries short.",
    },
  ),
  queue: {
    argument: "NAME",
    parse: queues,
    default: [],
    repeats: true,
    group: "work",
    summary: "queue that the worker must consume",
    otherwise: "its -Q queues, or the queues that it reports",
    details:
      "Used by --require-consuming and by --max-queue-length N. It also tells whether work waits for a silent worker " +
      "without heartbeats. Repeat the option, or separate names by commas.",
  } satisfies Option<readonly string[]>,
  "require-consuming": onOffSwitch({
    group: "work",
    summary: "unhealthy when the worker answers but does not fetch from a queue with work",
    details: "A queue's messages are counted as for --max-queue-length.",
  }),
  "max-task-age": optional("DURATION", duration, {
    group: "work",
    summary: "unhealthy when a task has been running for longer",
    details:
      "The worker is asked for its active tasks, which is safe from Celery 5.2 on. An older worker is not asked, and the " +
      "line says so.",
  }),
  "max-queue-length": {
    argument: "[QUEUE=]N",
    parse: queueLimit,
    default: [],
    repeats: true,
    group: "work",
    summary: "unhealthy when more messages wait in QUEUE, or in any queue of the worker",
    details:
      "Repeat the option, or separate limits by commas. All priorities are counted together: the queue's own list, and the " +
      "lists of the priorities 1 to 9 behind kombu's separator `\\x06\\x16` and behind `:`. If a worker tells its settings " +
      "(`conf`), the lists by its sep and priority_steps are counted too.",
  } satisfies Option<readonly QueueLimit[]>,
  output: valued(
    "FORMAT",
    oneOf("text", "json"),
    { value: "text", text: "text" },
    {
      group: "output",
      summary: "text: one line; json: one object (docs/output.md)",
    },
  ),
  verbose: onOffSwitch({ group: "output", summary: "add what was seen, below the line" }),
  quiet: onOffSwitch({ group: "output", summary: "print nothing; the exit code is the answer" }),
} as const satisfies OptionTable;

export type OptionName = keyof typeof OPTIONS;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** Any option of the table, without the type of its value. */
export function option(name: OptionName): Option<unknown> {
  return OPTIONS[name];
}

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** The origin of a value, for messages and for `--verbose`. */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  /** The worker's own command line or environment. */
  | { readonly kind: "worker"; readonly pid: number; readonly name: string }
  /**
   * No setting names the broker, but the worker is connected to it. `by`: variables with the URL, the user or the
   * password.
   */
  | { readonly kind: "connection"; readonly pid: number; readonly by: readonly string[] }
  | { readonly kind: "default" };

/** Each option's value and its origin. */
export type ConfigOf<T extends OptionTable> = {
  readonly [N in keyof T]: { readonly value: ValueOf<T[N]>; readonly origin: Origin };
};

/** The configuration of a check. */
export type Config = ConfigOf<typeof OPTIONS>;

export const VARIABLE_PREFIX = "CELERY_PROBE_";

/** The options about the broker, which every command that talks to one has. */
export type BrokerConfig = Pick<Config, keyof typeof BROKER>;

/** The environment variable of an option: `connect-timeout` is `CELERY_PROBE_CONNECT_TIMEOUT`. */
export function variableOf(name: string): string {
  return VARIABLE_PREFIX + name.toUpperCase().replaceAll("-", "_");
}
