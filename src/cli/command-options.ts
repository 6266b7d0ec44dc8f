import { redact } from "../broker/url.ts";
import type { CommandName, DEFAULT_COMMAND } from "./commands.ts";
import {
  BROKER_OPTIONS,
  type ConfigOf,
  onOffSwitch,
  type Option,
  optional,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type OptionTable,
  valued,
  variableOf,
} from "./options.ts";
import type { Taken } from "./parse.ts";
import {
  anyBrokerUrl,
  backendUrl,
  count,
  duration,
  filePath,
  listenPlace,
  oneOf,
  queueLimit,
  type QueueLimit,
  settingText,
  webUrl,
} from "./values.ts";

/** What a command other than the check can be told. */
export interface CommandOptions {
  /** Options of the check that mean the same here. */
  readonly shared: readonly OptionName[];
  /** Its own, in the order of the help; one that the check has too has another default here. */
  readonly own: OptionTable;
}

/** Who they are. */
const WORKERS = ["node", "placement", "pidfile"] as const satisfies readonly OptionName[];

const FORMAT = valued(
  "FORMAT",
  oneOf("text", "json"),
  { value: "text", text: "text" },
  { summary: "text: for people; json: for programs" },
);

function deadlineOf(ms: number, text: string) {
  return valued(
    "DURATION",
    duration,
    { value: ms, text },
    { summary: "when the run has ended, whatever happens" },
  );
}

const INSPECT = {
  timeout: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    { summary: "how long to wait for the workers' answers" },
  ),
  deadline: deadlineOf(10_000, "10s"),
  output: FORMAT,
  "allow-risky": onOffSwitch({
    summary: "send a method whose answer can disable the worker that gives it",
  }),
  all: onOffSwitch({ summary: "for conf: the application's own settings as well" }),
  "with-defaults": onOffSwitch({ summary: "for conf: the settings that nobody has set as well" }),
  builtins: onOffSwitch({ summary: "for registered: Celery's own tasks as well" }),
} as const satisfies OptionTable;

/** The problem that ends a run with 1. */
const FAIL_ON = valued(
  "LEVEL",
  oneOf("warning", "problem"),
  { value: "problem", text: "problem" },
  { summary: "what ends with exit code 1: problems, or warnings too" },
);

/** What `doctor` and `report` look at, beyond the check. */
const FINDINGS = {
  "max-queue-length": {
    argument: "[QUEUE=]N",
    parse: queueLimit,
    default: [{ queue: null, limit: 1_000 }],
    defaultText: "1000",
    repeats: true,
    summary: "warn when more messages wait in a queue",
  } satisfies Option<readonly QueueLimit[]>,
  "max-failed": valued(
    "N",
    count(0, 999_999_999),
    { value: 10, text: "10" },
    { summary: "warn when more results are failures" },
  ),
  "limit-gap": valued(
    "DURATION",
    duration,
    { value: 30_000, text: "30s" },
    { summary: "how far apart the time limits of a task have to be" },
  ),
  "result-backend": {
    ...optional("URL", backendUrl, {
      summary: "where the results are (default: CELERY_RESULT_BACKEND, else the broker)",
    }),
    show: () => "***",
  },
  observe: valued(
    "DURATION",
    duration,
    { value: 5_000, text: "5s" },
    { summary: "how long queues, CPU and broker are watched; half of the time left at most" },
  ),
  log: optional("PATH", filePath, {
    summary: "the worker's log, - for stdin (default: that of its -f)",
    details:
      "PATH is a regular file, or a link to one. A pipe is read by `-` alone: `docker logs worker 2>&1 | celery-probe doctor " +
      "--log -`. So `<(docker logs worker)`, /proc/1/fd/1 and a /dev/stdin that is a pipe are refused; nothing is taken from " +
      "their readers.",
  }),
  flower: {
    ...optional("URL", webUrl, {
      summary: "a Flower to compare with, http://[user:password@]host:5555",
    }),
    show: (text: string) => (text.includes("@") ? redact(text) : text),
  },
} as const satisfies OptionTable;

const DOCTOR = {
  ...FINDINGS,
  "fail-on": FAIL_ON,
  deadline: deadlineOf(15_000, "15s"),
  output: FORMAT,
} as const satisfies OptionTable;

const REPORT = {
  ...FINDINGS,
  "with-arguments": onOffSwitch({ summary: "leave the arguments of tasks in" }),
  deadline: deadlineOf(30_000, "30s"),
  output: FORMAT,
} as const satisfies OptionTable;

const WATCH = {
  node: { ...OPTIONS.node, summary: "show this node alone (default: all); may be repeated" },
  queue: {
    ...OPTIONS.queue,
    summary: "a queue to show beside those that the workers consume; may be repeated",
  },
  interval: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    { summary: "how long from one picture to the next" },
  ),
  "busy-grace": valued(
    "DURATION",
    duration,
    { value: 300_000, text: "5m" },
    { summary: "how long a worker may be silent until it is said to hang" },
  ),
  output: {
    ...FORMAT,
    summary: "text: a screen or lines for people; json: one object a picture, as serve gives it",
  },
  once: onOffSwitch({ summary: "one picture, then end" }),
} as const satisfies OptionTable;

const SERVE = {
  listen: valued(
    "HOST:PORT|PATH",
    listenPlace,
    { value: { kind: "tcp", host: "127.0.0.1", port: 9_540 }, text: "127.0.0.1:9540" },
    {
      summary: "where to listen: an address, or the path of a socket",
      details:
        "127.0.0.1 is reached from this machine or pod alone. 0.0.0.0:9540 and [::]:9540 are reached from everywhere: set " +
        "--http-token-file too. Port 0 takes a free one.",
    },
  ),
  node: { ...OPTIONS.node, summary: "watch this node alone (default: all); may be repeated" },
  queue: {
    ...OPTIONS.queue,
    summary: "a queue to measure beside those that the workers consume; may be repeated",
  },
  interval: valued(
    "DURATION",
    duration,
    { value: 30_000, text: "30s" },
    { summary: "how long from one question to the whole fleet to the next" },
  ),
  "http-token-file": optional("PATH", filePath, {
    summary: "a file with the token that clients need, except for probes",
    details:
      "Sent as `Authorization: Bearer TOKEN`, or as the password of Basic, which browsers ask for. The paths of probes need " +
      "none, as kubelet's `httpGet` has no secrets. 16 characters or more. No other user may read the file.",
  }),
  "http-cert": optional("PATH", filePath, {
    summary: "our certificate in PEM, to speak HTTPS; may hold the key too",
  }),
  "http-key": optional("PATH", filePath, { summary: "the key of --http-cert in PEM" }),
} as const satisfies OptionTable;

const BEAT = {
  schedule: optional("PATH", filePath, {
    summary:
      "the schedule file (default: the one that it writes, of -s, CELERY_BEAT_SCHEDULE or celerybeat-schedule)",
  }),
  "max-schedule-age": optional("DURATION", duration, {
    summary: "how long the schedule file may be unwritten (default: 10m, or twice its --max-interval)",
  }),
  "redbeat-lock": optional("KEY", settingText, {
    summary: "redbeat's redbeat_lock_key, which has to be held",
  }),
  timeout: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    { summary: "how long to wait for the answer to one ping" },
  ),
  deadline: deadlineOf(5_000, "5s"),
  output: FORMAT,
} as const satisfies OptionTable;

const FINDING_OPTIONS = [
  ...BROKER_OPTIONS,
  ...WORKERS,
  "busy-grace",
  "queue",
  "max-task-age",
  "timeout",
  "retries",
] as const satisfies readonly OptionName[];

/** What each command takes, the check apart. `install`, `completion` and `help` take nothing. */
export const COMMAND_OPTIONS = {
  inspect: { shared: [...BROKER_OPTIONS, ...WORKERS], own: INSPECT },
  doctor: { shared: FINDING_OPTIONS, own: DOCTOR },
  watch: { shared: [...BROKER_OPTIONS, "placement"], own: WATCH },
  serve: { shared: [...BROKER_OPTIONS, "placement", "busy-grace"], own: SERVE },
  beat: { shared: [...BROKER_OPTIONS, "placement", "pidfile", "verbose", "quiet"], own: BEAT },
  report: { shared: FINDING_OPTIONS, own: REPORT },
  install: { shared: [], own: {} },
  completion: { shared: [], own: {} },
  help: { shared: [], own: {} },
} as const satisfies Readonly<Record<Exclude<CommandName, typeof DEFAULT_COMMAND>, CommandOptions>>;

export type OtherCommand = keyof typeof COMMAND_OPTIONS;

type SharedBy<C extends OtherCommand> = (typeof COMMAND_OPTIONS)[C]["shared"][number];
type OwnOf<C extends OtherCommand> = (typeof COMMAND_OPTIONS)[C]["own"];

/** The options that a command takes: its own, and those that it shares with the check. */
type TableOf<C extends OtherCommand> = Pick<typeof OPTIONS, SharedBy<C>> & OwnOf<C>;

export type CommandConfig<C extends OtherCommand> = ConfigOf<TableOf<C>>;

/** Commands that say what they can where the broker's URL cannot be read. */
const WITHOUT_BROKER: readonly OtherCommand[] = ["doctor", "report"];

const ANY_URL = {
  broker: { ...OPTIONS.broker, parse: anyBrokerUrl },
  "broker-write-url": { ...OPTIONS["broker-write-url"], parse: anyBrokerUrl },
} as const satisfies OptionTable;

/** What a command takes, for the parser. A variable that the check reads as well carries the command's name. */
export function takenBy<C extends OtherCommand>(command: C): Taken<TableOf<C>> {
  const { shared, own }: CommandOptions = COMMAND_OPTIONS[command];
  const table = WITHOUT_BROKER.includes(command) ? { ...OPTIONS, ...ANY_URL } : OPTIONS;
  const options: OptionTable = { ...own, ...Object.fromEntries(shared.map((name) => [name, table[name]])) };
  return {
    command,
    options: options as TableOf<C>,
    variableOf: (name) =>
      Object.hasOwn(own, name) && Object.hasOwn(OPTIONS, name)
        ? variableOf(`${command}-${name}`)
        : variableOf(name),
  };
}

/** Every variable that any command reads. */
export function allVariables(): ReadonlySet<string> {
  const others = Object.keys(COMMAND_OPTIONS) as readonly OtherCommand[];
  return new Set([
    ...OPTION_NAMES.map(variableOf),
    ...others.map(takenBy).flatMap(({ options, variableOf: nameOf }) => Object.keys(options).map(nameOf)),
  ]);
}
