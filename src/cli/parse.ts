import { parseArgs } from "node:util";
import { failure, type Outcome, success } from "../outcome.ts";
import { ownEntry } from "../own-entry.ts";
import { unfilled, unfilledWords } from "../unfilled.ts";
import { command, COMMAND_NAMES, COMMANDS, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import type { OptionTable } from "./option.ts";
import {
  type Config,
  type ConfigOf,
  OPTIONS,
  type OptionName,
  type Origin,
  VARIABLE_PREFIX,
  variableOf,
} from "./options.ts";
import { complaint, label, mask, type UsageProblem, wrong } from "./usage.ts";
import { onOff } from "./values.ts";

/** The run that the command line asks for. */
export type Invocation<C> =
  | { readonly kind: "help"; readonly command: CommandName }
  | { readonly kind: "version"; readonly verbose: boolean }
  | {
      readonly kind: "run";
      readonly command: CommandName;
      /** The words after the command. */
      readonly words: readonly string[];
      readonly config: C;
      /** Variables that begin like ours but are not known: typing errors, or variables that an orchestrator made. */
      readonly unknownVariables: readonly string[];
    };

/** An unknown word. stray.ts makes the sentences about it, and is loaded only then. */
export interface Stray {
  readonly kind: "stray";
  /** `missing`: the command needs one more word; `surplus`: there is one more word than it takes. */
  readonly what: "option" | "command" | "surplus" | "missing" | "empty" | "unfilled";
  /** The word as it was typed. */
  readonly word: string;
  /** The word after it. */
  readonly next: string | null;
  readonly command: CommandName;
}

function stray(what: Stray["what"], command: CommandName, word = "", next: string | null = null) {
  return failure({ kind: "stray", what, word, next, command } satisfies Stray);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The texts given for an option, not yet parsed. */
interface Given {
  readonly texts: readonly string[];
  readonly origin: Origin;
}

/** A command's options by name, and their variables' names. */
export interface Taken<T extends OptionTable = OptionTable> {
  readonly command: CommandName;
  readonly options: T;
  readonly variableOf: (name: string) => string;
}

export const TAKEN_BY_CHECK: Taken<typeof OPTIONS> = {
  command: DEFAULT_COMMAND,
  options: OPTIONS,
  variableOf,
};

/**
 * The command in the words. Without one it is the check. Options follow their command; the check's may also come before
 * it.
 */
export function commandOf(argv: readonly string[]): CommandName {
  // Without a command's name among the words there is no need to read them twice.
  const isNamed = argv.some((word) => word !== DEFAULT_COMMAND && Object.hasOwn(COMMANDS, word));
  const first = isNamed ? tokensOf(argv, OPTIONS).find(({ kind }) => kind === "positional") : undefined;
  const word = first?.kind === "positional" ? first.value : DEFAULT_COMMAND;
  return COMMAND_NAMES.find((name) => name === word) ?? DEFAULT_COMMAND;
}

/**
 * Reads the command line and the environment. `--help` and `--version` win even when something else is wrong.
 *
 * @param taken the options of this command: see {@link commandOf}
 */
export function parse<T extends OptionTable>(
  argv: readonly string[],
  env: Environment,
  taken: Taken<T>,
): Outcome<Invocation<ConfigOf<T>>, UsageProblem | Stray> {
  const tokens = tokensOf(argv, taken.options);
  const given = (word: string) =>
    tokens.some((token) => token.kind === "option" && argv[token.index] === word);
  if (given("--help") || given("-h")) return success({ kind: "help", command: taken.command });
  if (given("--version")) {
    const variable = onOff(env[variableOf("verbose")] ?? "");
    return success({ kind: "version", verbose: given("--verbose") || (variable.ok && variable.value) });
  }

  const words = readTokens(tokens, argv, taken);
  if (!words.ok) return words;
  const variables = Object.keys(env).filter((name) => name.startsWith(VARIABLE_PREFIX));
  const { flags } = words.value;
  const config = readConfig(variables.length === 0 ? flags : withVariables(flags, env, taken), taken.options);
  if (!config.ok) return config;
  const contradiction = contradictionIn(config.value);
  if (contradiction !== null) return wrong(contradiction);
  return success({
    kind: "run",
    command: taken.command,
    words: words.value.words,
    config: config.value,
    unknownVariables: unknownAmong(variables, taken),
  });
}

type Token = ReturnType<typeof tokensOf>[number];

/** Reads only the syntax: unknown words stay, so that messages can name them. */
function tokensOf(argv: readonly string[], options: OptionTable) {
  // parseArgs takes time for each option in its table, so its table has only used options.
  const meant = Object.keys(options).filter((name) => argv.some((word) => word.startsWith(`--${name}`)));
  const told = meant.map(
    (name) => [name, { type: options[name]?.argument === null ? "boolean" : "string" }] as const,
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean" },
      version: { type: "boolean" },
      ...Object.fromEntries(told),
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return tokens;
}

interface Words {
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, Given>;
}

function readTokens(
  tokens: readonly Token[],
  argv: readonly string[],
  { command: name, options }: Taken,
): Outcome<Words, UsageProblem | Stray> {
  const flags = new Map<string, Given>();
  const { least, most } = command(name);
  const words: string[] = [];
  let isNamed = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    const next = argv[token.index + 1] ?? null;
    if (token.kind === "positional") {
      const { value: word } = token;
      if (!isNamed && word !== name) return stray("command", name, word, next);
      if (isNamed && words.length === most) return stray("surplus", name, word, next);
      // The shell's variable is not set.
      if (isNamed && word === "") return stray("empty", name);
      if (isNamed && unfilled(word) !== null) return stray("unfilled", name, word);
      if (isNamed) words.push(word);
      isNamed = true;
      continue;
    }
    const known = ownEntry(options, token.name);
    if (known === undefined) return stray("option", name, argv[token.index], next);
    const text = known.argument === null ? (token.value ?? "true") : token.value;
    if (text === undefined) return wrong(`${token.rawName} needs a value: expected ${known.argument}`);
    const before = flags.get(token.name)?.texts ?? [];
    if (before.length > 0 && !known.repeats) return wrong(`${token.rawName} is given twice: expected once`);
    flags.set(token.name, { texts: [...before, text], origin: { kind: "flag", name: token.rawName } });
  }
  return words.length < least ? stray("missing", name) : success({ words, flags });
}

/** Options that contradict each other. */
const CONTRADICTIONS: readonly (readonly [OptionName, OptionName])[] = [
  ["node", "any"],
  ["node", "min-nodes"],
  ...(["require-consuming", "max-task-age", "pidfile"] as const).flatMap((name) => [
    [name, "any"] as const,
    [name, "min-nodes"] as const,
  ]),
  ...(["any", "min-nodes", "require-consuming", "max-task-age", "max-queue-length"] as const).map(
    (name) => ["accept-shared", name] as const,
  ),
  ["verbose", "quiet"],
];

/** Pairs of options. A flag for one of them overrules the other's variable. */
const RIVALS: readonly (readonly [OptionName, OptionName])[] = [...CONTRADICTIONS, ["broker", "broker-env"]];

/** Adds variables of options that no flag sets, if no flag overrules them. */
function withVariables(
  flags: ReadonlyMap<string, Given>,
  env: Environment,
  { options, variableOf: nameOf }: Taken,
): ReadonlyMap<string, Given> {
  const isOff = (name: string) => {
    const value = onOff(flags.get(name)?.texts[0] ?? "");
    return options[name]?.argument === null && value.ok && !value.value;
  };
  const overruled = new Set<string>(
    RIVALS.flatMap(([one, other]) => [
      ...(flags.has(one) && !isOff(one) ? [other] : []),
      ...(flags.has(other) && !isOff(other) ? [one] : []),
    ]),
  );
  const all = new Map(flags);
  for (const name of Object.keys(options)) {
    const variable = fromEnvironment(nameOf(name), env);
    if (variable !== null && !all.has(name) && !overruled.has(name)) all.set(name, variable);
  }
  return all;
}

function unknownAmong(
  variables: readonly string[],
  { options, variableOf: nameOf }: Taken,
): readonly string[] {
  if (variables.length === 0) return variables;
  const known = new Set(Object.keys(options).map(nameOf));
  return variables.filter((name) => !known.has(name)).sort();
}

/** The configuration, from the given values and the defaults. */
function readConfig<T extends OptionTable>(
  given: ReadonlyMap<string, Given>,
  options: T,
): Outcome<ConfigOf<T>, UsageProblem> {
  const config: Record<string, { value: unknown; origin: Origin }> = {};
  for (const [name, option] of Object.entries(options)) {
    const source = given.get(name);
    if (source === undefined) {
      config[name] = { value: option.default, origin: { kind: "default" } };
      continue;
    }
    const { parse: read, show = mask, repeats } = option;
    const values: unknown[] = [];
    for (const text of source.texts) {
      // An option with its own mask may hold a password, and a password may look like a variable.
      const slip = option.show === undefined ? unfilled(text) : null;
      const value = slip === null ? read(text) : failure(unfilledWords(slip, text));
      if (!value.ok) return wrong(complaint(source.origin, show(text), value.problem));
      values.push(value.value);
    }
    config[name] = { value: repeats ? values.flat() : values[0], origin: source.origin };
  }
  return success(config as ConfigOf<T>);
}

/** An empty variable counts as not set: compose files write `CELERY_PROBE_TIMEOUT=${TIMEOUT-}`. */
function fromEnvironment(variable: string, env: Environment): Given | null {
  const text = env[variable];
  return text === undefined || text === ""
    ? null
    : { texts: [text], origin: { kind: "environment", name: variable } };
}

function contradictionIn(config: Partial<Config>): string | null {
  const givenOrigin = (name: OptionName): Origin | null => {
    const { value = null, origin } = config[name] ?? {};
    const isEmpty = value === null || value === false || (Array.isArray(value) && value.length === 0);
    return isEmpty ? null : (origin ?? null);
  };
  for (const [one, other] of CONTRADICTIONS) {
    const [first, second] = [givenOrigin(one), givenOrigin(other)];
    if (first !== null && second !== null)
      return `${label(first)} and ${label(second)} contradict each other: expected one of them`;
  }
  return pidfileOfSeveral(config);
}

/** Only the pid file's process is examined, so further nodes would be called dead. */
function pidfileOfSeveral({ pidfile, node }: Partial<Config>): string | null {
  if (pidfile === undefined || node === undefined) return null;
  if (pidfile.value === null || new Set(node.value).size < 2) return null;
  const nodes = `${label(node.origin)} '${OPTIONS.node.show(node.value.join(","))}'`;
  return complaint(
    pidfile.origin,
    mask(pidfile.value),
    `and ${nodes} contradict each other: expected one node, as a pid file names one process`,
  );
}
