import type { Group } from "./groups.ts";
import { onOff, type ValueParser } from "./values.ts";

/** What help, man page, documentation and completion say of an option. */
export interface Words {
  /** A noun phrase or an imperative, in lower case, without its default. */
  readonly summary: string;
  /** The default in words, where it cannot be typed. */
  readonly otherwise?: string;
  /** The rest of what there is to know, for the documentation. */
  readonly details?: string;
}

interface GroupedWords extends Words {
  readonly group: Group;
}

/** One option of the command line. The name is its key in its table; the variable is derived from it. */
export interface Option<T> extends GroupedWords {
  /** What the value is called in the help; `null` for a switch, which takes none. */
  readonly argument: string | null;
  readonly parse: ValueParser<T>;
  /** Masks secrets before the text is printed; the default is `mask` in usage.ts. */
  readonly show?: (text: string) => string;
  readonly default: T;
  /** The default as a user would type it. */
  readonly defaultText?: string;
  /** Given more than once, the values add up. */
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
