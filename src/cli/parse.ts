import { parseArgs } from "node:util";
import { redact } from "../broker/url.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import {
  type Config,
  OPTION_NAMES,
  type OptionName,
  type Origin,
  option,
  VARIABLE_PREFIX,
  variableOf,
} from "./options.ts";

/** What is wrong with the command line or the environment: one sentence, secrets masked. */
export interface UsageProblem {
  readonly kind: "usage";
  readonly sentence: string;
}

/** What the words ask for. */
export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | {
      readonly kind: "run";
      readonly command: CommandName;
      readonly config: Config;
      /** Variables that look like ours and are none, which a typing error makes; orchestrators make some too. */
      readonly unknownVariables: readonly string[];
    };

type Environment = Readonly<Record<string, string | undefined>>;

/** The texts given for an option, before they are read. */
interface Given {
  readonly texts: readonly string[];
  readonly origin: Origin;
}

/** Reads the command line and the environment. `--help` and `--version` win before anything can be wrong. */
export function parse(argv: readonly string[], env: Environment): Outcome<Invocation, UsageProblem> {
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean", short: "h" },
      version: { type: "boolean" },
      ...Object.fromEntries(
        OPTION_NAMES.map(
          (name) => [name, { type: option(name).argument === null ? "boolean" : "string" }] as const,
        ),
      ),
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const named = (name: string) => tokens.some((token) => token.kind === "option" && token.name === name);
  if (named("help")) return success({ kind: "help" });
  if (named("version")) return success({ kind: "version" });

  const flags = new Map<OptionName, Given>();
  let command: CommandName | null = null;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      const found = COMMAND_NAMES.find((name) => name === token.value);
      if (found === undefined || command !== null) return wrong(unknownWord(token.value, command));
      command = found;
      continue;
    }
    const name = OPTION_NAMES.find((candidate) => candidate === token.name);
    if (name === undefined || !token.rawName.startsWith("--")) return wrong(unknownOption(token.rawName));
    const text = option(name).argument === null ? (token.value ?? "true") : token.value;
    if (text === undefined) return wrong(`${token.rawName} needs a value: expected ${option(name).argument}`);
    const before = flags.get(name)?.texts ?? [];
    if (before.length > 0 && !option(name).repeats)
      return wrong(`${token.rawName} is given twice: expected once`);
    flags.set(name, { texts: [...before, text], origin: { kind: "flag", name: token.rawName } });
  }

  const config = readConfig(flags, env);
  if (!config.ok) return config;
  const contradiction = contradictionIn(config.value);
  if (contradiction !== null) return wrong(contradiction);
  const unknownVariables = Object.keys(env)
    .filter(
      (name) => name.startsWith(VARIABLE_PREFIX) && !OPTION_NAMES.some((known) => variableOf(known) === name),
    )
    .sort();
  return success({
    kind: "run",
    command: command ?? DEFAULT_COMMAND,
    config: config.value,
    unknownVariables,
  });
}

function readConfig(flags: ReadonlyMap<OptionName, Given>, env: Environment): Outcome<Config, UsageProblem> {
  const config: Partial<Record<OptionName, { value: unknown; origin: Origin }>> = {};
  for (const name of OPTION_NAMES) {
    const given = flags.get(name) ?? fromEnvironment(name, env);
    if (given === null) {
      config[name] = { value: option(name).default, origin: { kind: "default" } };
      continue;
    }
    const values: unknown[] = [];
    for (const text of given.texts) {
      const value = option(name).parse(text);
      if (!value.ok) return wrong(complaint(given.origin, text, value.problem));
      values.push(value.value);
    }
    config[name] = { value: option(name).repeats ? values.flat() : values[0], origin: given.origin };
  }
  return success(config as Config);
}

/** An empty variable is an unset one: compose files write `CELERY_PROBE_TIMEOUT=${TIMEOUT-}`. */
function fromEnvironment(name: OptionName, env: Environment): Given | null {
  const variable = variableOf(name);
  const text = env[variable];
  return text === undefined || text === ""
    ? null
    : { texts: [text], origin: { kind: "environment", name: variable } };
}

function contradictionIn(config: Config): string | null {
  const pairs = [
    ["node", "any", config.node.value.length > 0 && config.any.value],
    ["node", "min-nodes", config.node.value.length > 0 && config["min-nodes"].value !== null],
    ["verbose", "quiet", config.verbose.value && config.quiet.value],
  ] as const;
  const pair = pairs.find(([, , both]) => both);
  return pair === undefined
    ? null
    : `${label(config[pair[0]].origin)} and ${label(config[pair[1]].origin)} contradict each other: expected one of them`;
}

/** The name under which a user knows a value's origin. */
export function label(origin: Origin): string {
  return origin.kind === "default" ? "default" : origin.name;
}

/** The sentence about a value that cannot be read: who gave it, the text, and what is wrong with it. */
export function complaint(origin: Origin, text: string, problem: string): string {
  return `${label(origin)} ${quote(text)} ${problem}`;
}

/** The user's own text between quotes; what looks like a URL or like credentials without its secrets. */
function quote(text: string): string {
  return `'${/:\/\/|:[^@]*@/.test(text) ? redact(text) : text}'`;
}

function unknownWord(word: string, command: CommandName | null): string {
  return command === null
    ? `unknown command ${quote(word)}: expected ${COMMAND_NAMES.join(", ")}`
    : `unexpected word ${quote(word)} after ${command}: expected options`;
}

function unknownOption(rawName: string): string {
  const [closest] = OPTION_NAMES.map((name) => ({ name, distance: distance(`--${name}`, rawName) })).sort(
    (a, b) => a.distance - b.distance,
  );
  const hint =
    closest !== undefined && closest.distance <= 2
      ? `expected --${closest.name}?`
      : "see celery-probe --help";
  return `unknown option '${rawName}': ${hint}`;
}

/** Levenshtein's distance, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, letter] of Array.from(a).entries()) {
    const next = [line + 1];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function wrong(sentence: string): { readonly ok: false; readonly problem: UsageProblem } {
  return failure({ kind: "usage", sentence });
}
