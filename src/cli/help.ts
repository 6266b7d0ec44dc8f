import { DEFAULT_BROKER_URL } from "../broker/url.ts";
import { METHODS, methodFacts } from "../inspect/methods.ts";
import { BROKER_VARIABLES, PLATFORM_VARIABLE, READ_VARIABLE } from "./broker-options.ts";
import type { CommandOptions } from "./command-option.ts";
import { CHECK, COMMAND_OPTIONS, takenByAny } from "./command-options.ts";
import { command, COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import { type Group, GROUPS } from "./groups.ts";
import type { Option, OptionTable } from "./option.ts";
import { variableOf } from "./options.ts";

/** In columns: the width of the text, and where the words of options and commands begin. */
const WIDTH = 80;
const COLUMN = 30;
const COMMAND_COLUMN = 14;

/** The text of `--help`, made from the tables. The check's help also lists the commands. */
export function helpText(version: string, name: CommandName): string {
  const { summary, words = "" } = command(name);
  const isCheck = name === DEFAULT_COMMAND;
  const { options } = takenByAny(name);
  const hasOptions = Object.keys(options).length > 0;
  const usage = ["celery-probe", isCheck ? "[COMMAND]" : name, words, hasOptions ? "[OPTION]…" : ""];
  const { first, examples, success } = told(name);
  return [
    ...wrapped(
      isCheck ? `celery-probe ${version}: is this Celery worker alive?` : `celery-probe ${name}: ${summary}`,
      0,
    ),
    "",
    `usage: ${usage.filter((part) => part !== "").join(" ")}`,
    ...firstLines(name, words, first),
    "",
    "examples:",
    ...examples.flatMap(([line, purpose]) => [`  ${line}`, `      ${purpose}`]),
    ...(isCheck ? ["", "commands:", ...commandLines()] : []),
    ...groupsOf(options).flatMap(([group, entries]) => [
      "",
      `${GROUPS[group]}:`,
      ...entries.flatMap(optionLines),
    ]),
    ...(hasOptions
      ? ["", "Help:", ...GENERAL.flatMap(([flag, what]) => entry(flag, what)), "", ...closing(name)]
      : []),
    ...(hasOptions ? [] : [""]),
    ...wrapped(`Exit code 0: ${success}. Exit code 1: anything else.`, 0),
    "",
  ].join("\n");
}

/** The lines about the first word after a command. */
function firstLines(name: CommandName, words: string, first: CommandOptions["first"]): readonly string[] {
  if (name === "inspect") return ["", ...methodLines()];
  if (first === undefined || first === "files") return [];
  return ["", ...wrapped(`${/\w+/.exec(words)?.[0] ?? ""} is one of ${first.join(", ")}.`, 0)];
}

/** The lines about the methods of `inspect`. */
export function methodLines(): readonly string[] {
  const risky = METHODS.filter((method) => methodFacts(method).content === "raw");
  return [
    "methods:",
    ...METHODS.flatMap((method) => {
      const { summary, words = "" } = methodFacts(method);
      return entry(`${method} ${words}`.trim(), summary);
    }),
    "",
    ...wrapped(
      `${risky.join(", ")} can disable a worker (kombu 5.2.3 to 5.6.2, or an eventlet pool). There they are sent ` +
        "with --allow-risky only.",
      0,
    ),
  ];
}

/** Flags that every command takes. */
export const GENERAL = [
  ["-h, --help", "print this help; celery-probe help COMMAND is for a command"],
  ["--version", "print the version; with --verbose the runtime too"],
] as const;

/** A command's help and man page, apart from its options. */
export function told(name: CommandName): typeof CHECK {
  return name === DEFAULT_COMMAND ? CHECK : COMMAND_OPTIONS[name];
}

/** The options of a command by group, in the order of the groups. */
export function groupsOf(
  options: OptionTable,
): readonly (readonly [Group, readonly (readonly [string, Option<unknown>])[]])[] {
  return (Object.keys(GROUPS) as readonly Group[])
    .map((name) => [name, Object.entries(options).filter(([, { group }]) => group === name)] as const)
    .filter(([, entries]) => entries.length > 0);
}

/** The summary, whether the option may be repeated, and its default. */
export function summaryOf({ summary, repeats, defaultText, otherwise }: Option<unknown>): string {
  const standard = defaultText ?? otherwise;
  return `${summary}${repeats ? "; may be repeated" : ""}${standard === undefined ? "" : ` (default: ${standard})`}`;
}

function commandLines(): readonly string[] {
  return COMMAND_NAMES.flatMap((name) => {
    const { summary } = command(name);
    return entry(name, name === DEFAULT_COMMAND ? `${summary} (default)` : summary, COMMAND_COLUMN);
  });
}

function optionLines([name, option]: readonly [string, Option<unknown>]): readonly string[] {
  return entry(`--${name}${option.argument === null ? "" : ` ${option.argument}`}`, summaryOf(option));
}

/** The paragraphs about the broker and the variables, below the options. */
function closing(name: CommandName): readonly string[] {
  const [whose, end] = name === "beat" ? ["beat", "none is asked"] : ["the worker", DEFAULT_BROKER_URL];
  const { options, variableOf: nameOf } = takenByAny(name);
  const renamed = Object.keys(options).filter((option) => nameOf(option) !== variableOf(option));
  const examples = renamed.slice(0, 2).map((option) => `--${option} is ${nameOf(option)}`);
  return [
    ...wrapped(
      `Without --broker and --broker-env, the broker is the first of these: ${READ_VARIABLE}, the -b, ` +
        `${BROKER_VARIABLES.join(", ")} of ${whose} in sight; the same variables here; the server that ${whose} is ` +
        `connected to; ${PLATFORM_VARIABLE}; else ${end}.`,
      0,
    ),
    ...wrapped(
      `Each option is also a variable: --connect-timeout is ${variableOf("connect-timeout")}. The flag wins.` +
        (examples.length === 0
          ? ""
          : ` An option that differs from the check's has the command in its variable: ${examples.join(", ")}.`),
      0,
    ),
  ];
}

function entry(term: string, words: string, column = COLUMN): readonly string[] {
  const lines = wrapped(words, column);
  const [first = "", ...rest] = lines;
  // A long term gets its own line.
  return term.length > column - 4
    ? [`  ${term}`, ...lines]
    : [`  ${term.padEnd(column - 2)}${first.trimStart()}`, ...rest];
}

/** Breaks a text into indented lines. */
function wrapped(text: string, indent: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one);
}
