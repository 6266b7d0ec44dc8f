import { METHODS } from "../inspect/methods.ts";
import { BROKER } from "./broker-options.ts";
import {
  BROKER_OPTIONS,
  type CommandOptions,
  deadlineOf,
  FORMAT,
  reworded,
  SEVERAL_NAMES,
  WORKERS,
} from "./command-option.ts";
import { COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import { DOCTOR, FINDING_OPTIONS, FINDING_WORDS, REPORT } from "./finding-options.ts";
import { SERVE, WATCH } from "./fleet-options.ts";
import { onOffSwitch, type Option, optional, type OptionTable, valued } from "./option.ts";
import { type ConfigOf, OPTIONS, type OptionName, variableOf } from "./options.ts";
import { type Taken, TAKEN_BY_CHECK } from "./parse.ts";
import { anyBrokerUrl, duration, filePath, settingText } from "./values.ts";

const INSPECT = {
  timeout: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    { group: "verdict", summary: "longest wait for the workers' answers" },
  ),
  deadline: deadlineOf(10_000, "10s"),
  output: FORMAT,
  "allow-risky": onOffSwitch({
    group: "method",
    summary: "send a method even when its answer can disable the worker",
  }),
  all: onOffSwitch({ group: "method", summary: "conf: show the application's own settings too" }),
  "with-defaults": onOffSwitch({ group: "method", summary: "conf: show settings that nobody has set too" }),
  builtins: onOffSwitch({ group: "method", summary: "registered: list Celery's own tasks too" }),
} as const satisfies OptionTable;

const INSPECT_WORDS = {
  node: { summary: "node to ask", otherwise: "every node of the broker", details: SEVERAL_NAMES },
  placement: {
    summary: "where the probe runs: inside the worker's container, beside it, or remote",
    details:
      "Workers in sight tell which broker it is, and are named when their answer is missing. remote: no worker is in sight.",
  },
} satisfies CommandOptions["words"];

const BEAT = {
  schedule: optional("PATH", filePath, {
    group: "schedule",
    summary: "schedule file",
    otherwise: "the one that beat writes: its -s, CELERY_BEAT_SCHEDULE, or celerybeat-schedule",
  }),
  "max-schedule-age": optional("DURATION", duration, {
    group: "schedule",
    summary: "longest time that the schedule file may stay unwritten",
    otherwise: "10m, or twice its --max-interval",
  }),
  "redbeat-lock": optional("KEY", settingText, {
    group: "schedule",
    summary: "redbeat's redbeat_lock_key; somebody must hold this lock",
  }),
  timeout: valued(
    "DURATION",
    duration,
    { value: 2_000, text: "2s" },
    { group: "verdict", summary: OPTIONS.timeout.summary },
  ),
  deadline: deadlineOf(5_000, "5s"),
  output: FORMAT,
} as const satisfies OptionTable;

const BEAT_WORDS = {
  broker: {
    summary: OPTIONS.broker.summary,
    details:
      "Written as for the check. Without it the broker is the beat's, found as for a worker. Where no broker is found, " +
      "processes and the schedule file decide.",
  },
  placement: {
    summary: "where the probe runs: inside beat's container, beside it, or remote",
    details: "Beside and remote, a beat that is not in sight is `unknown`, and no fault.",
  },
  pidfile: {
    summary: "file with beat's process number, as celery --pidfile writes it",
    details: "For a beat that its command line does not reveal. PATH is a regular file, or a link to one.",
  },
} satisfies CommandOptions["words"];

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** The check's help, apart from its options. */
export const CHECK: Pick<CommandOptions, "first" | "examples" | "success"> = {
  examples: [
    ["celery-probe", "every worker of this container"],
    ["celery-probe --node worker@%h --busy-grace 10m", "one worker, with tasks that block it"],
    ["celery-probe --broker redis://redis:6379/0 --min-nodes 3", "a monitor: three workers must answer"],
  ],
  success: "healthy",
};

/** What each command except the check takes. `install`, `completion` and `help` have no options. */
export const COMMAND_OPTIONS = {
  inspect: {
    shared: [...BROKER_OPTIONS, ...WORKERS],
    words: INSPECT_WORDS,
    own: INSPECT,
    first: METHODS,
    examples: [
      ["celery-probe inspect active", "the running tasks of every worker"],
      ["celery-probe inspect stats --node worker@web-1 --output json", "one worker, for a program"],
      ["celery-probe inspect query_task 7c1d3c0e-3c0f-4f0e-9d52-0a5a5a3f6f11", "where a task is"],
    ],
    success: "every worker that was asked has answered",
  },
  doctor: {
    shared: FINDING_OPTIONS,
    words: FINDING_WORDS,
    own: DOCTOR,
    examples: [
      ["celery-probe doctor", "the worker of this container"],
      ["docker logs worker 2>&1 | celery-probe doctor --log -", "read the log of a container too"],
      ["celery-probe doctor --placement remote --broker redis://redis:6379/0", "every worker, from anywhere"],
    ],
    success: "no problem was found",
  },
  watch: {
    shared: [...BROKER_OPTIONS, "placement"],
    own: WATCH,
    examples: [
      ["celery-probe watch", "until q or Ctrl-C"],
      ["celery-probe watch --broker redis://redis:6379/0 --interval 10s", "another broker, slower"],
      ["celery-probe watch --once", "one picture, for a script"],
    ],
    success: "you ended it, or --once showed a worker",
  },
  serve: {
    shared: [...BROKER_OPTIONS, "placement", "busy-grace"],
    own: SERVE,
    examples: [
      ["celery-probe serve", "on 127.0.0.1:9540, for probes of this pod and a browser here"],
      ["celery-probe serve --listen 0.0.0.0:9540 --http-token-file /run/token", "for Prometheus elsewhere"],
      ["celery-probe serve --ask /livez", "whether the serve of this container is alive; exit 0 or 1"],
    ],
    success: "you ended it",
  },
  beat: {
    shared: [...BROKER_OPTIONS, "placement", "pidfile", "verbose", "quiet"],
    words: BEAT_WORDS,
    own: BEAT,
    examples: [
      ["celery-probe beat", "the beat of this container"],
      ["celery-probe beat --max-schedule-age 20m", "a beat with a long --max-interval"],
      ["celery-probe beat --redbeat-lock redbeat::lock", "a beat with redbeat"],
    ],
    success: "healthy",
  },
  report: {
    shared: FINDING_OPTIONS,
    words: FINDING_WORDS,
    own: REPORT,
    first: "files",
    examples: [
      ["celery-probe report /tmp/report.md", "a new file that only you can read"],
      ["celery-probe report --output json", "one JSON object on stdout"],
    ],
    success: "the report is written, whatever it says",
  },
  install: {
    shared: [],
    own: {},
    first: "files",
    examples: [["celery-probe install /probe/", "into a volume that the worker's container mounts"]],
    success: "the copy is there",
  },
  completion: {
    shared: [],
    own: {},
    first: SHELLS,
    examples: [
      ["source <(celery-probe completion bash)", "in ~/.bashrc"],
      ["source <(celery-probe completion zsh)", "in ~/.zshrc"],
      ["celery-probe completion fish | source", "in ~/.config/fish/config.fish"],
    ],
    success: "the script is printed",
  },
  help: {
    shared: [],
    own: {},
    first: COMMAND_NAMES,
    examples: [["celery-probe help doctor", "the options of doctor"]],
    success: "the help is printed",
  },
} as const satisfies Readonly<Record<Exclude<CommandName, typeof DEFAULT_COMMAND>, CommandOptions>>;

export type OtherCommand = keyof typeof COMMAND_OPTIONS;

type SharedBy<C extends OtherCommand> = (typeof COMMAND_OPTIONS)[C]["shared"][number];
type OwnOf<C extends OtherCommand> = (typeof COMMAND_OPTIONS)[C]["own"];

/** The options of a command: its own, and those shared with the check. */
type TableOf<C extends OtherCommand> = Pick<typeof OPTIONS, SharedBy<C>> & OwnOf<C>;

export type CommandConfig<C extends OtherCommand> = ConfigOf<TableOf<C>>;

/** Commands that also work if the broker's URL cannot be read. */
const WITHOUT_BROKER: readonly OtherCommand[] = ["doctor", "report"];

const ANY_URL = {
  broker: { ...BROKER.broker, parse: anyBrokerUrl },
  "broker-write-url": { ...BROKER["broker-write-url"], parse: anyBrokerUrl },
} as const satisfies OptionTable;

/**
 * A command's options, for the parser. If the check has its own option of the same name, the variable contains the
 * command's name.
 */
export function takenBy<C extends OtherCommand>(command: C): Taken<TableOf<C>> {
  const { shared, words = {}, own }: CommandOptions = COMMAND_OPTIONS[command];
  const table: Readonly<Record<OptionName, Option<unknown>>> = WITHOUT_BROKER.includes(command)
    ? { ...OPTIONS, ...ANY_URL }
    : OPTIONS;
  const worded = (name: OptionName) => {
    const { [name]: here } = words;
    return [name, here === undefined ? table[name] : reworded(table[name], here)] as const;
  };
  const options: OptionTable = { ...own, ...Object.fromEntries(shared.map(worded)) };
  return {
    command,
    options: options as TableOf<C>,
    variableOf: (name) =>
      Object.hasOwn(own, name) && Object.hasOwn(OPTIONS, name)
        ? variableOf(`${command}-${name}`)
        : variableOf(name),
  };
}

/** The options of any command, including the check. */
export function takenByAny(name: CommandName): Taken {
  return name === DEFAULT_COMMAND ? TAKEN_BY_CHECK : takenBy(name);
}

export function allVariables(): ReadonlySet<string> {
  return new Set(
    COMMAND_NAMES.map(takenByAny).flatMap(({ options, variableOf: nameOf }) =>
      Object.keys(options).map(nameOf),
    ),
  );
}
