import { BROKER } from "./broker-options.ts";
import { type Option, type OptionTable, valued, type Words } from "./option.ts";
import { type OptionName, OPTIONS } from "./options.ts";
import { duration, oneOf } from "./values.ts";

/** The options of a command other than the check, and the rest of its help. */
export interface CommandOptions {
  /** Options of the check that mean the same here. */
  readonly shared: readonly OptionName[];
  /** Words for a shared option where the check's words would be wrong. */
  readonly words?: { readonly [N in OptionName]?: Words };
  /** Its own, in the order of the help; one that the check has too has another default here. */
  readonly own: OptionTable;
  /** What the first word behind it can be; absent: it takes none. */
  readonly first?: readonly string[] | "files";
  /** Lines to paste, each with what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** What exit code 0 means; 1 is everything else. */
  readonly success: string;
}

/** The option with other words. */
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

/** Where they are. */
export const BROKER_OPTIONS = Object.keys(BROKER) as readonly (keyof typeof BROKER)[];

/** Who they are. */
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
