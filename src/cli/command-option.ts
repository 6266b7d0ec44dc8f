import { BROKER } from "./broker-options.ts";
import { type Option, type OptionTable, valued, type Words } from "./option.ts";
import { type OptionName, OPTIONS } from "./options.ts";
import { duration, oneOf } from "./values.ts";

/** The options of a command other than the check, and the rest of its help. */
export interface CommandOptions {
  /** Options with the same meaning as the check's. */
  readonly shared: readonly OptionName[];
  /** Texts for shared options whose text for the check would be wrong here. */
  readonly words?: { readonly [N in OptionName]?: Words };
  /** The command's own options, in the order of the help. An option that the check has too has another default here. */
  readonly own: OptionTable;
  /** The possible first words after the command. Absent: it takes no word. */
  readonly first?: readonly string[] | "files";
  /** Lines to paste, each with its purpose. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** The meaning of exit code 0. Everything else is 1. */
  readonly success: string;
}

/** A copy of the option with other texts. */
export function reworded<T>(option: Option<T>, words: Words): Option<T> {
  const { argument, parse, default: standard, group } = option;
  const { show, defaultText, repeats } = option;
  return {
    ...{ argument, parse, default: standard, group },
    ...(show === undefined ? {} : { show }),
    ...(defaultText === undefined ? {} : { defaultText }),
    ...(repeats === undefined ? {} : { repeats }),
    ...words,
  };
}

/** The options that say where the workers are. */
export const BROKER_OPTIONS = Object.keys(BROKER) as readonly (keyof typeof BROKER)[];

/** The options that say which workers are meant. */
export const WORKERS = ["node", "placement", "pidfile"] as const satisfies readonly OptionName[];

export const FORMAT = valued(
  "FORMAT",
  oneOf("text", "json"),
  { value: "text", text: "text" },
  { group: "output", summary: "text: for people; json: for programs" },
);

export function deadlineOf(ms: number, text: string) {
  return valued(
    "DURATION",
    duration,
    { value: ms, text },
    { group: "verdict", summary: OPTIONS.deadline.summary },
  );
}

/** The details of an option that takes several names. */
export const SEVERAL_NAMES = "Repeat the option, or separate names by commas.";
