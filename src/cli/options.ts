import { DEFAULT_BROKER_URL, redact } from "../broker/url.ts";
import {
  brokerUrl,
  count,
  duration,
  exchangeName,
  fanoutPrefix,
  filePath,
  keyPrefix,
  nodes,
  oneOf,
  onOff,
  queueLimit,
  type QueueLimit,
  queues,
  settingText,
  type ValueParser,
  variableName,
} from "./values.ts";

/** One option of the command line. The name is its key in `OPTIONS`; the variable is derived from it. */
export interface Option<T> {
  /** What the value is called in the help; `null` for a switch, which takes none. */
  readonly argument: string | null;
  readonly parse: ValueParser<T>;
  /** How the text is made fit to be printed, where it is not as any other: see `mask` in usage.ts. */
  readonly show?: (text: string) => string;
  readonly default: T;
  /** The default as a user would type it; absent where there is none to type. */
  readonly defaultText?: string;
  /** Given more than once, the values add up. */
  readonly repeats?: true;
  /** One line for the help. */
  readonly summary: string;
  /** The rest of what there is to know, for the documentation. */
  readonly details?: string;
}

export function valued<T>(
  argument: string,
  parse: ValueParser<T>,
  standard: { readonly value: NoInfer<T>; readonly text: string },
  words: { readonly summary: string; readonly details?: string },
): Option<T> {
  return { argument, parse, default: standard.value, defaultText: standard.text, ...words };
}

export function optional<T>(
  argument: string,
  parse: ValueParser<T>,
  words: { readonly summary: string; readonly details?: string },
): Option<T | null> {
  return { argument, parse, default: null, ...words };
}

export function onOffSwitch(words: { readonly summary: string; readonly details?: string }): Option<boolean> {
  return { argument: null, parse: onOff, default: false, ...words };
}

/** What a worker consumes from goes before everything else that names a broker (celery/app/utils.py `broker_read_url`). */
export const READ_VARIABLE = "CELERY_BROKER_READ_URL";

/** And what it replies and sends its events to. */
export const WRITE_VARIABLE = "CELERY_BROKER_WRITE_URL";

/**
 * The variables that a worker of Celery 5 takes its broker from, in its order (celery/bin/celery.py: `-b` reads
 * BROKER_URL; celery/app/base.py).
 */
export const BROKER_VARIABLES = ["BROKER_URL", "CELERY_BROKER", "CELERY_BROKER_URL"] as const;

/** Where many platforms put the URL of the only Redis there is. */
export const PLATFORM_VARIABLE = "REDIS_URL";

/**
 * Every option that has a value in the configuration, in the order of the help. Parsing, help, documentation and
 * tests read this table and nothing else; each option is also the variable `CELERY_PROBE_…` of its name.
 */
export const OPTIONS = {
  broker: {
    ...optional("URL", brokerUrl, {
      summary: "the broker, as Celery's broker_url: redis://[user:password@]host[:port][/database]",
      details:
        "Also rediss:// (TLS), redis+socket:///path?virtual_host=N, sentinel://a;sentinel://b/N, and redis://a;redis://b, " +
        "of which the one counts that the worker is connected to; all as kombu reads them. " +
        "Without it: the variable named by --broker-env; then what the worker in sight uses, " +
        `${READ_VARIABLE} of its environment, its -b, or the first that is set there of ${BROKER_VARIABLES.join(", ")}; ` +
        `then the same variables here; then the server where the worker in sight fetches and listens; ` +
        `then ${PLATFORM_VARIABLE}; then ${DEFAULT_BROKER_URL}.`,
    }),
    show: redact,
  },
  "broker-env": optional("NAME", variableName, {
    summary: "the environment variable that holds the broker URL",
    details:
      "For applications that keep it under a name of their own. It must be set, here or for the worker.",
  }),
  "broker-write-url": {
    ...optional("URL", brokerUrl, {
      summary: "the broker that the workers reply to, as broker_write_url (default: the same)",
      details:
        `Without it and without --broker: ${WRITE_VARIABLE} of the worker's environment or of this one; where ` +
        `${READ_VARIABLE} names the broker, the one that would be used without that.`,
    }),
    show: redact,
  },
  tls: onOffSwitch({
    summary: "speak TLS, for workers that have broker_use_ssl: the URL does not tell",
    details:
      "As rediss:// it verifies no certificate unless one of the options below says so; each of them switches TLS on.",
  }),
  "ssl-cert-reqs": optional("WORD", oneOf("none", "optional", "required"), {
    summary: "none: no certificate is verified; required: it must be (default with one of the next four)",
    details:
      "The ssl_… options go before the parameters of the same names in the URL. optional is as required.",
  }),
  "ssl-ca-certs": optional("PATH", filePath, {
    summary: "a file with the certificates of the authorities to trust (default: this machine's)",
  }),
  "ssl-certfile": optional("PATH", filePath, {
    summary: "our certificate, for servers that want one; may hold the key too",
  }),
  "ssl-keyfile": optional("PATH", filePath, {
    summary: "the key of our certificate",
  }),
  "ssl-check-hostname": optional("YES", oneOf("true", "false"), {
    summary: "whether the certificate must be for that host (default: not with --ssl-ca-certs)",
    details:
      "redis-py asks for it from 6.0 on, and did not before. Where authorities of your own are named, any host of theirs " +
      "is accepted unless this says true; where those of this machine are trusted, the host has to be right.",
  }),
  "master-name": optional("NAME", settingText, {
    summary: "master_name of broker_transport_options (default: the only one that the Sentinels know)",
  }),
  "sentinel-username": optional("NAME", settingText, {
    summary: "the user for the Sentinels, username of sentinel_kwargs",
  }),
  "sentinel-password": {
    ...optional("TEXT", settingText, {
      summary: "the password for the Sentinels, password of sentinel_kwargs",
      details:
        "The password in the URL is that for the master. A command line can be seen by others: use the variable.",
    }),
    show: () => "***",
  },
  "sentinel-tls": onOffSwitch({
    summary: "speak TLS with the Sentinels too, ssl of sentinel_kwargs",
    details: "With the same certificates as with the master.",
  }),
  "control-exchange": optional("NAME", exchangeName, {
    summary: "control_exchange of the workers (default: celery)",
  }),
  "fanout-prefix": optional("TEXT", fanoutPrefix, {
    summary: "fanout_prefix of broker_transport_options; false for none (default: /{db}.)",
    details: "`{db}` stands for the number of the database.",
  }),
  "global-keyprefix": optional("TEXT", keyPrefix, {
    summary: "what the workers have as global_keyprefix in broker_transport_options",
    details:
      "It stands in front of every key and channel. In the environment as on the command line; empty: none.",
  }),
  node: {
    argument: "NAME",
    parse: nodes,
    // Every name has an @: only what is a URL is masked.
    show: (text: string) => (text.includes("://") ? redact(text) : text),
    default: [],
    repeats: true,
    summary: "the node that must be alive (default: every worker in sight, or celery@<host name>)",
    details:
      "The full name, or what the worker was given as -n, with %h, %n and %d as Celery expands them. " +
      "Repeated, or several separated by commas: each of them must be alive. Without it the workers of this " +
      "container are found by their processes, their names by Celery's rules.",
  } satisfies Option<readonly string[]>,
  any: onOffSwitch({
    summary: "accept the answer of any worker on this broker",
    details: "For monitors. It says nothing about the worker of this container. Not together with --node.",
  }),
  "min-nodes": optional("N", count(1, 100_000), {
    summary: "ask every worker on this broker; at least N must answer",
    details:
      "For monitors. Implies --any. A beat that answers pings (Celery 5.7, --enable-remote-control) is not counted under " +
      "its default name celerybeat@…; one with another name cannot be told from a worker by its answer.",
  }),
  placement: valued(
    "PLACE",
    oneOf("auto", "inside", "beside", "remote"),
    { value: "auto", text: "auto" },
    {
      summary: "where the probe runs: inside the worker's container, beside it, or remote",
      details:
        "beside: in a container of its own that shares the worker's PID namespace; with no worker in sight it is undecided, " +
        "never dead. remote: only the broker is in sight; busy and dead cannot be told apart. " +
        "auto: inside, if a worker is in sight or the node's host part is this host name; else remote.",
    },
  ),
  pidfile: optional("PATH", filePath, {
    summary: "the file with the worker's process number, as celery --pidfile writes it",
    details:
      "For a worker that is recognised neither by its command line nor by its connections. It names one process: not " +
      "together with several --node, with --any or with --min-nodes. A regular file, or a link to one.",
  }),
  "busy-grace": optional("DURATION", duration, {
    summary: "how long a worker may be silent (default: 5m, or its hard time limit and a minute)",
    details:
      "A worker whose main loop is blocked by a task is busy for so long, and hung after it. Not given: 5m, or the hard " +
      "time limit of its command line or environment plus 1m where that is longer; a solo pool enforces none.",
  }),
  "start-grace": optional("DURATION", duration, {
    summary: "how long after its start a worker may be without a connection (default: none)",
    details: "It is `starting` for so long. Compose's start_period and Kubernetes' startupProbe do the same.",
  }),
  "on-unknown": valued(
    "STATUS",
    oneOf("unhealthy", "healthy"),
    { value: "unhealthy", text: "unhealthy" },
    {
      summary: "what an unknown counts as; healthy holds while its process is alive",
      details:
        "healthy keeps a broker's outage from restarting a fleet. It holds only where a live worker process is in sight; " +
        "the line still says unknown.",
    },
  ),
  strict: onOffSwitch({
    summary: "count a worker that does not answer as unhealthy, busy or not",
  }),
  queue: {
    argument: "NAME",
    parse: queues,
    default: [],
    repeats: true,
    summary: "a queue that the worker has to consume (default: those of its -Q, or those it says)",
    details:
      "For --require-consuming, and for --max-queue-length N; and where a worker without heartbeats is silent, to tell " +
      "whether work waits for it. Repeated, or several separated by commas.",
  } satisfies Option<readonly string[]>,
  "require-consuming": onOffSwitch({
    summary: "unhealthy when it answers but does not fetch from a queue that has work",
    details: "Messages of a queue are counted as by --max-queue-length.",
  }),
  "max-task-age": optional("DURATION", duration, {
    summary: "unhealthy when a task has been running for longer",
    details:
      "Asks the worker for its active tasks, which is safe from Celery 5.2 on; an older one is not asked, and the line says so.",
  }),
  "max-queue-length": {
    argument: "[QUEUE=]N",
    parse: queueLimit,
    default: [],
    repeats: true,
    summary: "unhealthy when more messages wait in a queue",
    details:
      "Without QUEUE: in each of the queues of the worker. Repeated, or several separated by commas. Priorities are " +
      "counted together: the queue's own list, those of the priorities 1 to 9 behind kombu's separator `\\x06\\x16` and " +
      "behind `:`, and those by the sep and priority_steps of a worker that tells its settings (`conf`).",
  } satisfies Option<readonly QueueLimit[]>,
  "state-file": optional("PATH", filePath, {
    summary: "where to note since when a worker has been silent, if that cannot be seen otherwise",
    details:
      "Behind address translation, or with CLIENT LIST forbidden, a busy worker's silence cannot be measured. " +
      "With this file it is, from one run to the next, by a clock that nobody can set. It also keeps that a worker " +
      "was stopped: its silence counts from then. Removed when the worker answers. " +
      "The path is a file that the probe has written, or a name that is free: no device (/dev/null), no pipe, no link. " +
      "Leave the option out to note nothing. Its folder should be writable for the probe's user alone.",
  }),
  timeout: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    {
      summary: "how long to wait for the answer to one ping",
    },
  ),
  retries: valued(
    "N",
    count(0, 100),
    { value: 1, text: "1" },
    {
      summary: "how often to ask again when no answer came",
    },
  ),
  "connect-timeout": valued(
    "DURATION",
    duration,
    { value: 1_000, text: "1s" },
    {
      summary: "how long the broker may take to connect, and to answer",
    },
  ),
  deadline: valued(
    "DURATION",
    duration,
    { value: 5_000, text: "5s" },
    {
      summary: "when the run has ended, whatever happens",
      details: "Counted from the start of the process. It cuts --timeout and --retries short.",
    },
  ),
  output: valued(
    "FORMAT",
    oneOf("text", "json"),
    { value: "text", text: "text" },
    {
      summary: "text: one line; json: one object (docs/output.md)",
    },
  ),
  verbose: onOffSwitch({ summary: "add what was seen, below the line" }),
  quiet: onOffSwitch({ summary: "print nothing; the exit code is the answer" }),
} as const;

export type OptionName = keyof typeof OPTIONS;

/** The names in the order of the table. */
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** Any option of the table, its value's type left open. */
export function option(name: OptionName): Option<unknown> {
  return OPTIONS[name];
}

/** Options by their names. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** Where a value came from, for messages and for `--verbose`. */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  /** The worker's own command line or environment. */
  | { readonly kind: "worker"; readonly pid: number; readonly name: string }
  /** Nobody names it: the worker is connected there. `by`: the variables that gave the URL, the user or the password. */
  | { readonly kind: "connection"; readonly pid: number; readonly by: readonly string[] }
  | { readonly kind: "default" };

/** Each option's value and where it came from. */
export type ConfigOf<T extends OptionTable> = {
  readonly [N in keyof T]: { readonly value: ValueOf<T[N]>; readonly origin: Origin };
};

/** The configuration of a check. */
export type Config = ConfigOf<typeof OPTIONS>;

export const VARIABLE_PREFIX = "CELERY_PROBE_";

/** The options that say where the workers are. */
export const BROKER_OPTIONS = [
  "broker",
  "broker-env",
  "broker-write-url",
  "tls",
  "ssl-cert-reqs",
  "ssl-ca-certs",
  "ssl-certfile",
  "ssl-keyfile",
  "ssl-check-hostname",
  "master-name",
  "sentinel-username",
  "sentinel-password",
  "sentinel-tls",
  "control-exchange",
  "fanout-prefix",
  "global-keyprefix",
  "connect-timeout",
] as const satisfies readonly OptionName[];

/** What any command that talks to a broker is told of it. */
export type BrokerConfig = Pick<Config, (typeof BROKER_OPTIONS)[number]>;

/** The environment variable of an option: `connect-timeout` is `CELERY_PROBE_CONNECT_TIMEOUT`. */
export function variableOf(name: string): string {
  return VARIABLE_PREFIX + name.toUpperCase().replaceAll("-", "_");
}
