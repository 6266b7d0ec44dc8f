import type { CommandName, DEFAULT_COMMAND } from "./commands.ts";
import {
  type Config,
  type ConfigOf,
  onOffSwitch,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type OptionTable,
  valued,
  variableOf,
} from "./options.ts";
import type { Taken } from "./parse.ts";
import { duration, oneOf } from "./values.ts";

/** What a command other than the check can be told. */
export interface CommandOptions {
  /** Options of the check that mean the same here. */
  readonly shared: readonly OptionName[];
  /** Its own, in the order of the help; one that the check has too has another default here. */
  readonly own: OptionTable;
}

/** Where the workers are. */
const BROKER = [
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
  "with-defaults": onOffSwitch({ summary: "for conf: the settings that nobody has changed as well" }),
  builtins: onOffSwitch({ summary: "for registered: Celery's own tasks as well" }),
} as const satisfies OptionTable;

/** The problem that ends a run with 1. */
const FAIL_ON = valued(
  "LEVEL",
  oneOf("warning", "problem"),
  { value: "problem", text: "problem" },
  { summary: "what ends with exit code 1: problems, or warnings too" },
);

const DOCTOR = {
  "fail-on": FAIL_ON,
  deadline: deadlineOf(15_000, "15s"),
  output: FORMAT,
} as const satisfies OptionTable;

const FINDING_OPTIONS = [
  ...BROKER,
  ...WORKERS,
  "busy-grace",
  "timeout",
  "retries",
] as const satisfies readonly OptionName[];

/** What each command takes, the check apart; `install` and `help` take nothing. */
export const COMMAND_OPTIONS = {
  inspect: { shared: [...BROKER, ...WORKERS], own: INSPECT },
  doctor: { shared: FINDING_OPTIONS, own: DOCTOR },
  install: { shared: [], own: {} },
  help: { shared: [], own: {} },
} as const satisfies Readonly<Record<Exclude<CommandName, typeof DEFAULT_COMMAND>, CommandOptions>>;

export type OtherCommand = keyof typeof COMMAND_OPTIONS;

/** A command's own options, and those of the check, as far as the command takes them; of the rest the defaults. */
export type CommandConfig<C extends OtherCommand> = Omit<Config, keyof (typeof COMMAND_OPTIONS)[C]["own"]> &
  ConfigOf<(typeof COMMAND_OPTIONS)[C]["own"]>;

/** What a command takes, for the parser. A variable that the check reads as well carries the command's name. */
export function takenBy(command: OtherCommand): Taken {
  const { shared, own }: CommandOptions = COMMAND_OPTIONS[command];
  return {
    command,
    options: { ...own, ...Object.fromEntries(shared.map((name) => [name, OPTIONS[name]])) },
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
