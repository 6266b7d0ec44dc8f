import { parseArgs } from "node:util";
import { type Outcome, success } from "../outcome.ts";
import { COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import {
  type Config,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type Origin,
  option,
  VARIABLE_PREFIX,
  variableOf,
} from "./options.ts";
import { complaint, label, mask, unknownOption, unknownWord, type UsageProblem, wrong } from "./usage.ts";
import { onOff } from "./values.ts";

/** What the words ask for. */
export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version"; readonly verbose: boolean }
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
  const tokens = tokensOf(argv);
  const given = (word: string) =>
    tokens.some((token) => token.kind === "option" && argv[token.index] === word);
  if (given("--help") || given("-h")) return success({ kind: "help" });
  if (given("--version")) {
    const variable = onOff(env[variableOf("verbose")] ?? "");
    return success({ kind: "version", verbose: given("--verbose") || (variable.ok && variable.value) });
  }

  const words = readTokens(tokens, argv);
  if (!words.ok) return words;
  const variables = Object.keys(env).filter((name) => name.startsWith(VARIABLE_PREFIX));
  const { flags } = words.value;
  const config = readConfig(variables.length === 0 ? flags : withVariables(flags, env));
  if (!config.ok) return config;
  const contradiction = contradictionIn(config.value);
  if (contradiction !== null) return wrong(contradiction);
  const { command } = words.value;
  return success({ kind: "run", command, config: config.value, unknownVariables: unknownAmong(variables) });
}

type Token = ReturnType<typeof tokensOf>[number];

/** Syntax only: what is not ours stays in, so that it can be named. */
function tokensOf(argv: readonly string[]) {
  // parseArgs looks at each option that it is told of, and few are meant.
  const meant = OPTION_NAMES.filter((name) => argv.some((word) => word.startsWith(`--${name}`)));
  const options = meant.map(
    (name) => [name, { type: option(name).argument === null ? "boolean" : "string" }] as const,
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean" },
      version: { type: "boolean" },
      ...Object.fromEntries(options),
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return tokens;
}

interface Words {
  readonly command: CommandName;
  readonly flags: ReadonlyMap<OptionName, Given>;
}

function readTokens(tokens: readonly Token[], argv: readonly string[]): Outcome<Words, UsageProblem> {
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
    if (name === undefined) return wrong(unknownOption(wordOf(token, argv)));
    const { argument, repeats } = option(name);
    const text = argument === null ? (token.value ?? "true") : token.value;
    if (text === undefined) return wrong(`${token.rawName} needs a value: expected ${argument}`);
    const before = flags.get(name)?.texts ?? [];
    if (before.length > 0 && !repeats) return wrong(`${token.rawName} is given twice: expected once`);
    flags.set(name, { texts: [...before, text], origin: { kind: "flag", name: token.rawName } });
  }
  return success({ command: command ?? DEFAULT_COMMAND, flags });
}

/** As it was typed: of grouped short options the whole group, of a long one the name. */
function wordOf(token: Extract<Token, { kind: "option" }>, argv: readonly string[]): string {
  return token.rawName.startsWith("--") ? token.rawName : (argv[token.index] ?? token.rawName);
}

/** Options that contradict each other. */
const CONTRADICTIONS: readonly (readonly [OptionName, OptionName])[] = [
  ["node", "any"],
  ["node", "min-nodes"],
  ...(["require-consuming", "max-task-age", "pidfile"] as const).flatMap((name) => [
    [name, "any"] as const,
    [name, "min-nodes"] as const,
  ]),
  ["verbose", "quiet"],
];

/** Options of which one makes the other void. */
const RIVALS: readonly (readonly [OptionName, OptionName])[] = [...CONTRADICTIONS, ["broker", "broker-env"]];

/** Adds what the environment says of the options that no flag says anything about, itself or by its rival. */
function withVariables(
  flags: ReadonlyMap<OptionName, Given>,
  env: Environment,
): ReadonlyMap<OptionName, Given> {
  const isOff = (name: OptionName) => {
    const value = onOff(flags.get(name)?.texts[0] ?? "");
    return option(name).argument === null && value.ok && !value.value;
  };
  const overruled = new Set(
    RIVALS.flatMap(([one, other]) => [
      ...(flags.has(one) && !isOff(one) ? [other] : []),
      ...(flags.has(other) && !isOff(other) ? [one] : []),
    ]),
  );
  const all = new Map(flags);
  for (const name of OPTION_NAMES) {
    const variable = fromEnvironment(name, env);
    if (variable !== null && !all.has(name) && !overruled.has(name)) all.set(name, variable);
  }
  return all;
}

function unknownAmong(variables: readonly string[]): readonly string[] {
  if (variables.length === 0) return variables;
  const known = new Set(OPTION_NAMES.map(variableOf));
  return variables.filter((name) => !known.has(name)).sort();
}

function readConfig(given: ReadonlyMap<OptionName, Given>): Outcome<Config, UsageProblem> {
  const config: Partial<Record<OptionName, { value: unknown; origin: Origin }>> = {};
  for (const name of OPTION_NAMES) {
    const source = given.get(name);
    if (source === undefined) {
      config[name] = { value: option(name).default, origin: { kind: "default" } };
      continue;
    }
    const { parse: read, show = mask, repeats } = option(name);
    const values: unknown[] = [];
    for (const text of source.texts) {
      const value = read(text);
      if (!value.ok) return wrong(complaint(source.origin, show(text), value.problem));
      values.push(value.value);
    }
    config[name] = { value: repeats ? values.flat() : values[0], origin: source.origin };
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
  const isGiven = (name: OptionName) => {
    const { value } = config[name];
    return value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
  };
  const pair = CONTRADICTIONS.find(([one, other]) => isGiven(one) && isGiven(other));
  return pair === undefined
    ? pidfileOfSeveral(config)
    : `${label(config[pair[0]].origin)} and ${label(config[pair[1]].origin)} contradict each other: expected one of them`;
}

/** The others would be called dead, as a pid file's process is the only one that is looked at. */
function pidfileOfSeveral({ pidfile, node }: Config): string | null {
  if (pidfile.value === null || new Set(node.value).size < 2) return null;
  const nodes = `${label(node.origin)} '${OPTIONS.node.show(node.value.join(","))}'`;
  return complaint(
    pidfile.origin,
    mask(pidfile.value),
    `and ${nodes} contradict each other: expected one node, as a pid file names one process`,
  );
}
