import { type OtherCommand, takenBy } from "../cli/command-options.ts";
import { COMMAND_NAMES, type CommandName, COMMANDS, DEFAULT_COMMAND } from "../cli/commands.ts";
import { type Option, OPTIONS } from "../cli/options.ts";
import { choicesOf } from "../cli/values.ts";
import { METHODS } from "../inspect/methods.ts";

/** What can be written behind a command, for a shell that completes it. */
export interface Taken {
  readonly name: CommandName;
  readonly summary: string;
  readonly options: readonly TakenOption[];
  /** The first word behind it: one of these, a file, or none. */
  readonly words: readonly string[] | "files";
}

export interface TakenOption {
  /** With its dashes. */
  readonly flag: string;
  readonly summary: string;
  /** What its value can be: `none`: it takes none; `any`: nobody can say. */
  readonly value: readonly string[] | "files" | "any" | "none";
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** Flags that every command takes. */
const GENERAL: readonly TakenOption[] = [
  { flag: "--help", summary: "print what it does and its options", value: "none" },
  { flag: "--version", summary: "print the version", value: "none" },
];

/** All commands, from the tables that the parser reads. */
export function commandsTaken(): readonly Taken[] {
  return COMMAND_NAMES.map((name) => ({
    name,
    summary: COMMANDS[name].summary,
    options: [...Object.entries(optionsOf(name)).map(([option, one]) => taken(option, one)), ...GENERAL],
    words: WORDS[name] ?? [],
  }));
}

const WORDS: { readonly [C in CommandName]?: Taken["words"] } = {
  inspect: METHODS,
  report: "files",
  install: "files",
  completion: SHELLS,
  help: COMMAND_NAMES,
};

function optionsOf(name: CommandName): Readonly<Record<string, Option<unknown>>> {
  return name === DEFAULT_COMMAND ? OPTIONS : takenBy(name satisfies OtherCommand).options;
}

function taken(name: string, { argument, parse, summary }: Option<unknown>): TakenOption {
  const choices = choicesOf(parse);
  const value = argument === null ? "none" : argument === "PATH" ? "files" : (choices ?? "any");
  return { flag: `--${name}`, summary, value };
}
