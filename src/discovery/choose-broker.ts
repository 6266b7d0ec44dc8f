import type { BrokerFailure } from "../broker/failure.ts";
import { type Broker, DEFAULT_BROKER_URL } from "../broker/url.ts";
import { BROKER_VARIABLES, PLATFORM_VARIABLE, READ_VARIABLE, WRITE_VARIABLE } from "../cli/broker-options.ts";
import type { BrokerConfig, Origin } from "../cli/options.ts";
import { complaint, mask, unreadUrl, type UsageProblem, wrong } from "../cli/usage.ts";
import { type BrokerUrl, brokerUrl } from "../cli/values.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { ownEntry } from "../own-entry.ts";
import { wholeEnvironment } from "../worker/environment.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import type { WorkerProcess } from "../worker/survey.ts";

/** A broker, and who named it. */
export interface ChosenBroker {
  readonly url: BrokerUrl;
  readonly origin: Origin;
  /** Its workers may have come by Sentinels, though the URL names a server. */
  readonly bySentinels?: true;
}

/** Where workers hear us, and where they reply to; null: to the same. */
export interface ChosenBrokers {
  readonly read: ChosenBroker;
  readonly write: ChosenBroker | null;
  /** Why it cannot be used, where that is known before it is connected to; null: nothing is known against it. */
  readonly failure: BrokerFailure | null;
}

/** A text that names a broker, or none. */
interface Named {
  readonly text: string;
  readonly origin: Origin;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which broker to ask: the flag, the variable that --broker-env names, CELERY_PROBE_BROKER; then what the worker
 * itself uses, its -b and the variables of its environment, which an entrypoint may have set; then the same variables
 * of ours; the platform's; the default. Replies go to the same, unless one is named for writing.
 *
 * @param isGone the worker is missing: only it may have had the variable of --broker-env
 */
export function chooseBrokers(
  config: BrokerConfig,
  { env, proc }: Pick<Host, "env" | "proc">,
  programs: readonly Instructed[],
  isGone = false,
): Outcome<ChosenBrokers, UsageProblem> {
  const named = namedByUser(config, env, proc, programs, isGone);
  if (!named.ok) return named;
  const { read, write } =
    named.value === null ? namedForCelery(env, programs) : { read: named.value, write: null };
  const reading = "url" in read ? checked(read) : readUrl(read);
  if (!reading.ok) return reading;
  const { value: given, origin } = config["broker-write-url"];
  const chosen = { read: reading.value, failure: null };
  if (given !== null) {
    const writing = checked({ url: given, origin });
    return writing.ok ? success({ ...chosen, write: writing.value }) : writing;
  }
  if (write === null || write.text === reading.value.url.text) return success({ ...chosen, write: null });
  const writing = readUrl(write);
  return writing.ok ? success({ ...chosen, write: writing.value }) : writing;
}

/** The broker that our own options name; null: none does. */
function namedByUser(
  config: BrokerConfig,
  env: Environment,
  proc: ProcFiles,
  programs: readonly Instructed[],
  isGone: boolean,
): Outcome<ChosenBroker | Named | null, UsageProblem> {
  const { value, origin } = config.broker;
  const indirect = config["broker-env"];
  if (value !== null && (origin.kind === "flag" || indirect.value === null)) {
    return success({ url: value, origin });
  }
  if (indirect.value === null) return success(null);
  const text = ownEntry(env, indirect.value);
  if (text) return success({ text, origin: { kind: "environment", name: indirect.value } });
  for (const { pid } of programs) {
    const theirs = wholeEnvironment(proc, pid)?.get(indirect.value);
    if (theirs) return success({ text: theirs, origin: { kind: "worker", pid, name: indirect.value } });
  }
  if (isGone) return success(null);
  const unread = programs.find(({ environment }) => environment === null);
  const problem =
    unread === undefined
      ? "is not set: expected a variable with the broker URL"
      : `is not set here, and the environment of process ${unread.pid} may not be read: run the probe as its user`;
  return wrong(complaint(indirect.origin, mask(indirect.value), problem));
}

/**
 * The broker that Celery itself would take, in its own order: from the first program that names one, else from our
 * environment.
 */
function namedForCelery(
  env: Environment,
  programs: readonly Instructed[],
): { readonly read: Named; readonly write: Named | null } {
  for (const program of programs) {
    const told = brokersOf(program);
    if (told !== null) return told;
  }
  const told = brokersIn(env, null, (name) => ({ kind: "environment", name }));
  if (told !== null) return told;
  const text = env[PLATFORM_VARIABLE];
  const read: Named = text
    ? { text, origin: { kind: "environment", name: PLATFORM_VARIABLE } }
    : { text: DEFAULT_BROKER_URL, origin: { kind: "default" } };
  return { read, write: null };
}

/** A program of Celery's, and what tells it its broker. */
export interface Instructed {
  readonly pid: number;
  /** Its `-b`. */
  readonly option: string | null;
  /** Null: it cannot be read. */
  readonly environment: Environment | null;
}

export function instructed({ pid, command, environment }: WorkerProcess): Instructed {
  return { pid, option: command.broker, environment };
}

/** Whether nobody names the broker: a platform's variable may name any Redis. */
export function isUnnamed({ read: { origin } }: ChosenBrokers): boolean {
  return origin.kind === "default" || (origin.kind === "environment" && origin.name === PLATFORM_VARIABLE);
}

function brokersOf({ pid, option, environment }: Instructed): ReturnType<typeof brokersIn> {
  return brokersIn(environment ?? {}, option, (name) => ({ kind: "worker", pid, name }));
}

/** The broker that a worker's command line and environment name; null: none, or what they name is no URL. */
export function brokerOf(worker: WorkerProcess): Broker | null {
  return namedBroker(worker)?.broker ?? null;
}

/** The same, with its text. */
export function namedBroker(worker: WorkerProcess): BrokerUrl | null {
  const told = brokersOf(instructed(worker));
  const url = told === null ? null : brokerUrl(told.read.text);
  return url?.ok === true ? url.value : null;
}

/** Whether two workers may have one broker: both name the same, or one of them names none. */
export function mayShareBroker(one: WorkerProcess, other: WorkerProcess): boolean {
  const [first, second] = [brokerOf(one), brokerOf(other)];
  return first === null || second === null || JSON.stringify(first) === JSON.stringify(second);
}

function brokersIn(
  env: Environment,
  option: string | null,
  originOf: (name: string) => Origin,
): { readonly read: Named; readonly write: Named | null } | null {
  const variable = (name: string): Named | null => {
    const text = env[name];
    return text ? { text, origin: originOf(name) } : null;
  };
  const both =
    (option ? { text: option, origin: originOf("-b") } : null) ??
    BROKER_VARIABLES.map(variable).find((named) => named !== null) ??
    null;
  const read = variable(READ_VARIABLE) ?? both;
  return read === null ? null : { read, write: variable(WRITE_VARIABLE) ?? both };
}

function readUrl({ text, origin }: Named): Outcome<ChosenBroker, UsageProblem> {
  const url = brokerUrl(text);
  return url.ok ? success({ url: url.value, origin }) : unreadUrl({ text, origin, problem: url.problem });
}

function checked(broker: ChosenBroker): Outcome<ChosenBroker, UsageProblem> {
  const { text, problem } = broker.url;
  return problem === undefined ? success(broker) : unreadUrl({ text, origin: broker.origin, problem });
}
