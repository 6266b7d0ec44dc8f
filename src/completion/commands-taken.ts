import { takenByAny } from "../cli/command-options.ts";
import { COMMAND_NAMES, type CommandName, COMMANDS } from "../cli/commands.ts";
import { told } from "../cli/help.ts";
import type { Option } from "../cli/option.ts";
import { choicesOf } from "../cli/values.ts";

/** What may follow a command, for a shell's completion. */
export interface Taken {
  readonly name: CommandName;
  readonly summary: string;
  readonly options: readonly TakenOption[];
  /** The first word after the command: one of these, a file, or nothing. */
  readonly words: readonly string[] | "files";
}

export interface TakenOption {
  /** With its dashes. */
  readonly flag: string;
  readonly summary: string;
  /** Its values. `none`: it takes no value; `any`: it takes any text. */
  readonly value: readonly string[] | "files" | "any" | "none";
}

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
    options: [
      ...Object.entries(takenByAny(name).options).map(([option, one]) => taken(option, one)),
      ...GENERAL,
    ],
    words: told(name).first ?? [],
  }));
}

function taken(name: string, { argument, parse, summary }: Option<unknown>): TakenOption {
  const choices = choicesOf(parse);
  const value = argument === null ? "none" : argument === "PATH" ? "files" : (choices ?? "any");
  return { flag: `--${name}`, summary, value };
}
