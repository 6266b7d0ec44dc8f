import { METHODS } from "../inspect/methods.ts";
import { ownEntry } from "../own-entry.ts";
import { similarTo } from "../slips.ts";
import { isHostName, unfilled, unfilledWords } from "../unfilled.ts";
import { CELERY_COMMANDS, CELERY_OPTIONS, FOREIGN_OPTIONS, type InPlace } from "./celery-words.ts";
import { takenByAny } from "./command-options.ts";
import { command, COMMAND_NAMES, COMMANDS, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import type { Option, OptionTable } from "./option.ts";
import type { Stray } from "./parse.ts";
import { mask, type UsageProblem } from "./usage.ts";

/** The message about a command line that cannot be read: the problem, and what to write. */
export function sentenceOf(problem: UsageProblem | Stray): string {
  return problem.kind === "usage" ? problem.sentence : straySentence(problem);
}

function straySentence(stray: Stray): string {
  const { what, word, command: name } = stray;
  const { words = "" } = command(name);
  const shown = shownWord(word);
  switch (what) {
    case "option":
      return optionSentence(stray);
    case "command": {
      const grown = grownWords(word);
      return grown === null
        ? `unknown command '${shown}': ${wordHint(stray) ?? commandHint(stray)}`
        : `unknown command '${grown.first} …': ${grown.hint}`;
    }
    case "surplus":
      return `unexpected word '${shown}' after ${[name, words].join(" ").trim()}: ${wordHint(stray) ?? behind(name)}`;
    case "missing":
      return `${name} needs ${words}: see celery-probe help ${name}`;
    case "empty":
      return `the word '' after ${name} is empty: expected ${words}`;
    case "unfilled": {
      const variable = unfilled(word);
      return variable === null ? word : `the word '${shown}' after ${name} ${unfilledWords(variable, word)}`;
    }
    default:
      return what satisfies never;
  }
}

/** What may follow the words of a command. */
function behind(name: CommandName): string {
  return Object.keys(optionsOf(name)).length === 0 ? "expected nothing more" : "expected options";
}

/** A node's name. It has an @ like a URL with a password, but nothing else of a URL. */
const NODE_NAME = /^[^\s:/@]+@[^\s:/@]+$/;

/** Editors and web pages replace two hyphens with such a dash. */
const LONG_DASH = /^[\u2010-\u2015\u2212]+-?/;

/** A hint if the word may be a node's name; otherwise null. */
export function nodeHint(word: string): string | null {
  return NODE_NAME.test(word) ? `for a node write --node ${word}` : null;
}

function shownWord(word: string): string {
  return NODE_NAME.test(word) ? word : mask(word);
}

/** Our own name, with or without a folder. */
const OURSELVES = /^(?:\S*\/)?celery-probe$/;

/**
 * A hint for a word that contains a command and further words. These may be a password, so they are not shown. Null:
 * any other word.
 */
function grownWords(word: string): { readonly first: string; readonly hint: string } | null {
  const [first = "", ...rest] = word.split(/\s+/);
  if (rest.length === 0) return null;
  if (OURSELVES.test(first)) return { first, hint: "write each word by itself, and leave celery-probe out" };
  return Object.hasOwn(COMMANDS, first) ? { first, hint: apart(first) } : null;
}

function apart(first: string): string {
  return `write each word by itself, "${first}", "…"`;
}

/** A hint about what the word looks like. Null: no hint. */
function wordHint({ word, command: name }: Stray): string | null {
  const options = optionsOf(name);
  const variable = unfilled(word);
  if (variable !== null) return `it ${unfilledWords(variable, word)}`;
  if (LONG_DASH.test(word)) return `it begins with a long dash, write ${mask(word.replace(LONG_DASH, "--"))}`;
  if (word.includes("://") && "broker" in options) return `for a broker write --broker ${mask(word)}`;
  const node = "node" in options ? nodeHint(word) : null;
  if (node !== null) return node;
  const [left = "", right] = word.split(/=/, 2);
  if (!Object.hasOwn(options, left)) return null;
  return `expected --${left}${right === undefined ? "" : `=${mask(right)}`}?`;
}

function commandHint({ word }: Stray): string {
  const method = METHODS.find((one) => one === word) ?? similarTo(word, METHODS);
  if (word === "celery" || OURSELVES.test(word)) return "leave it out";
  const ours =
    similarTo(word, COMMAND_NAMES) ??
    ownEntry(CELERY_COMMANDS, word) ??
    (method === null ? null : `inspect ${method}`);
  return ours === null ? `expected ${COMMAND_NAMES.join(", ")}` : `expected ${ours}?`;
}

/** The message about an option that the command does not take. The value is left out, even if no `=` separates it. */
function optionSentence(stray: Stray): string {
  const { word, command: name } = stray;
  const flag = flagOf(word);
  const page = name === DEFAULT_COMMAND ? "--help" : `help ${name}`;
  const hint =
    grownHint(stray, flag) ??
    foreignHint(flag, name) ??
    typoHint(flag, name) ??
    celeryHint(stray) ??
    ownerHint(flag) ??
    `see celery-probe ${page}`;
  const isWhole = flag === word || word.startsWith(`${flag}=`);
  return `unknown option '${isWhole ? flag : `${flag}…`}': ${hint}`;
}

/** The option in a word, without its value. */
function flagOf(word: string): string {
  const whole = /^--?[a-z][\w-]{0,30}(?==|$)/i.exec(word)?.[0];
  const short = word.slice(0, 2);
  if (whole !== undefined) return whole;
  const beforeBlank = /^--[a-z][\w-]{0,30}(?=\s)/i.exec(word)?.[0];
  if (beforeBlank !== undefined) return beforeBlank;
  return ownEntry(CELERY_OPTIONS, short) === undefined ? (/^--?[a-z]*/i.exec(word)?.[0] ?? "") : short;
}

/** A hint for an option and its value in one word. */
function grownHint({ word, command: name }: Stray, flag: string): string | null {
  const isGrown = /\s/.test(word.charAt(flag.length));
  return isGrown && Object.hasOwn(optionsOf(name), flag.slice(2)) ? apart(flag) : null;
}

function foreignHint(flag: string, name: CommandName): string | null {
  const [, ours = []] = FOREIGN_OPTIONS.find(([foreign]) => foreign.test(flag)) ?? [];
  const options = optionsOf(name);
  const option = ours.find((one) => one === "version" || Object.hasOwn(options, one));
  return option === undefined ? null : `expected --${option}?`;
}

function typoHint(flag: string, name: CommandName): string | null {
  const flags = Object.keys(optionsOf(name)).map((option) => `--${option}`);
  const similar = similarTo(flag, [...flags, "--help", "--version"]);
  if (similar !== null) return `expected ${similar}?`;
  const part = flag.replace(/^-+/, "");
  const holding = part.length < 4 ? [] : flags.filter((option) => option.includes(part));
  return holding.length > 0 && holding.length < 4 ? `expected ${holding.join(" or ")}?` : null;
}

/** Names the commands that take the option. */
function ownerHint(flag: string): string | null {
  const option = flag.slice(2);
  const owners = COMMAND_NAMES.filter((one) => Object.hasOwn(optionsOf(one), option));
  return owners.length === 0 ? null : `it is an option of ${listed(owners)}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What replaces Celery's option. Its value is shown if our option can read it. */
function celeryHint({ word, next, command: name }: Stray): string | null {
  const [long = "", ...values] = word.split("=");
  const key = word.startsWith("--") ? long : word.slice(0, 2);
  const place = ownEntry(CELERY_OPTIONS, key);
  if (place === undefined) return null;
  if ("why" in place) return `celery's ${key} has no use here: ${place.why}`;
  const option = ownEntry(optionsOf(name), place.option);
  if (option === undefined) return null;
  const attached = word.startsWith("--") ? values.join("=") : word.slice(2).replace(/^=|^\s+/, "");
  const value = attached === "" && next?.startsWith("-") !== true ? next : attached;
  return `for celery's ${key} write ${inPlaceOf(place, option, value ?? "")}`;
}

function inPlaceOf(
  { option: name, value, inSeconds }: InPlace,
  option: Option<unknown>,
  given: string,
): string {
  if (option.argument === null) return `--${name}`;
  const text =
    value ?? (inSeconds === true && /^\d+(?:\.\d+)?$/.test(given) ? `${given}s` : withHostName(given));
  const { show = mask } = option;
  const isRead = unfilled(text) === null && option.parse(text).ok;
  return `--${name} ${isRead ? show(text) : option.argument}`;
}

/** Writes `%h` instead of `$HOSTNAME`, because no shell has filled it in. */
function withHostName(text: string): string {
  let filled = text;
  let variable = unfilled(filled);
  while (variable !== null && isHostName(variable)) {
    filled = filled.replaceAll(variable.name, "%h");
    variable = unfilled(filled);
  }
  return filled;
}

function optionsOf(name: CommandName): OptionTable {
  return takenByAny(name).options;
}
