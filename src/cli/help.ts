import { DEFAULT_BROKER_URL } from "../broker/url.ts";
import { METHODS, methodFacts } from "../inspect/methods.ts";
import { type OtherCommand, takenBy } from "./command-options.ts";
import { command, type CommandName, COMMANDS, DEFAULT_COMMAND } from "./commands.ts";
import {
  BROKER_VARIABLES,
  type Option,
  OPTIONS,
  type OptionTable,
  PLATFORM_VARIABLE,
  READ_VARIABLE,
  VARIABLE_PREFIX,
  variableOf,
} from "./options.ts";

const COLUMN = 28;

/** The text of `--help`: of the check, which lists the commands, or of another command. Made from the tables. */
export function helpText(version: string, name: CommandName): string {
  return (name === DEFAULT_COMMAND ? generalLines(version) : commandLines(name)).join("\n");
}

function generalLines(version: string): readonly string[] {
  return [
    `celery-probe ${version}: is this Celery worker alive?`,
    "",
    "usage: celery-probe [COMMAND] [OPTION]…",
    "",
    "commands:",
    ...Object.entries(COMMANDS).map(([name, { summary }], position) =>
      entry(name, position === 0 ? `${summary} (default)` : summary),
    ),
    "",
    "options:",
    ...optionLines(OPTIONS),
    entry("-h, --help", "print this"),
    entry("--version", "print the version; with --verbose also what it runs on"),
    "",
    ...BROKER_LINES,
    `Each option is also a variable of the environment: --connect-timeout is ${VARIABLE_PREFIX}CONNECT_TIMEOUT.`,
    "Exit code: 0 healthy, 1 anything else.",
    "",
  ];
}

function commandLines(name: OtherCommand): readonly string[] {
  const { summary, words = "" } = command(name);
  const { options } = takenBy(name);
  const hasOptions = Object.keys(options).length > 0;
  const usage = ["celery-probe", name, words, hasOptions ? "[OPTION]…" : ""].filter((part) => part !== "");
  return [
    `celery-probe ${name}: ${summary}`,
    "",
    `usage: ${usage.join(" ")}`,
    "",
    ...(name === "inspect" ? [...methodLines(), ""] : []),
    ...(hasOptions
      ? [
          "options:",
          ...optionLines(options),
          entry("-h, --help", "print this"),
          "",
          ...(name === "beat" ? BEAT_BROKER_LINES : BROKER_LINES),
          ...variableLines(name),
          "",
        ]
      : []),
  ];
}

/** What can be asked of workers. */
export function methodLines(): readonly string[] {
  const risky = METHODS.filter((method) => methodFacts(method).content === "raw");
  return [
    "methods:",
    ...METHODS.map((method) => {
      const { summary, words = "" } = methodFacts(method);
      return entry(`${method} ${words}`.trim(), summary);
    }),
    "",
    `${risky.join(", ")} can disable a worker (kombu 5.2.3 to`,
    "5.6.2, or an eventlet pool). There they are sent with --allow-risky only.",
  ];
}

/** A variable of an option that the check takes as well, and that means something else there, has the command's name. */
function variableLines(name: OtherCommand): readonly string[] {
  const { options, variableOf: nameOf } = takenBy(name);
  const renamed = Object.keys(options).filter((option) => nameOf(option) !== variableOf(option));
  const examples = renamed.map((option) => `--${option} ${nameOf(option)}`);
  return [
    `Each option is also a variable of the environment: --connect-timeout is ${variableOf("connect-timeout")}${examples.length === 0 ? "." : ","}`,
    ...(examples.length === 0
      ? []
      : [`and of those that mean something else elsewhere ${examples.join(", ")}.`]),
  ];
}

const BEAT_BROKER_LINES = [
  "Without --broker and --broker-env the broker is the beat's, as a worker's would be: of its -b and its environment,",
  "then of this one, or the one it is connected to. Where there is none, none is asked.",
];

const BROKER_LINES = [
  `Without --broker and --broker-env the broker is that of the worker in sight: ${READ_VARIABLE}, its -b,`,
  `or the first that is set of ${BROKER_VARIABLES.join(", ")}; then the same here;`,
  `then the server that it is connected to; then ${PLATFORM_VARIABLE}; then ${DEFAULT_BROKER_URL}.`,
];

function optionLines(options: OptionTable): readonly string[] {
  return Object.entries(options).map(([name, option]) => optionLine(name, option));
}

function optionLine(name: string, { argument, summary, defaultText }: Option<unknown>): string {
  const flag = `--${name}${argument === null ? "" : ` ${argument}`}`;
  return entry(flag, summary + (defaultText === undefined ? "" : ` (default: ${defaultText})`));
}

function entry(term: string, words: string): string {
  return `  ${term.padEnd(COLUMN)}${term.length >= COLUMN ? " " : ""}${words}`;
}
