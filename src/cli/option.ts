import type { Group } from "./groups.ts";
import { onOff, type ValueParser } from "./values.ts";

/** The texts about an option in help, man page, documentation and completion. */
export interface Words {
  /** A noun phrase or an imperative, in lower case, without its default. */
  readonly summary: string;
  /** The default in words, if it cannot be typed. */
  readonly otherwise?: string;
  /** Further details, for the documentation. */
  readonly details?: string;
}

interface GroupedWords extends Words {
  readonly group: Group;
}

/** One option of the command line. Its key in the table is its name, and its variable is derived from the name. */
export interface Option<T> extends GroupedWords {
  /** The name of its value in the help. Null: the option is a switch without a value. */
  readonly argument: string | null;
  readonly parse: ValueParser<T>;
  /** Masks secrets before the value is printed. The default is `mask` in usage.ts. */
  readonly show?: (text: string) => string;
  readonly default: T;
  /** The default as a user would type it. */
  readonly defaultText?: string;
  /** The option may be given several times, and its values are joined. */
  readonly repeats?: true;
}

/** Options by their names. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

export function valued<T>(
  argument: string,
  parse: ValueParser<T>,
  standard: { readonly value: NoInfer<T>; readonly text: string },
  words: GroupedWords,
): Option<T> {
  return { argument, parse, default: standard.value, defaultText: standard.text, ...words };
}

export function optional<T>(argument: string, parse: ValueParser<T>, words: GroupedWords): Option<T | null> {
  return { argument, parse, default: null, ...words };
}

export function onOffSwitch(words: GroupedWords): Option<boolean> {
  return { argument: null, parse: onOff, default: false, ...words };
}
