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

/** A broker and what named it. */
export interface ChosenBroker {
  readonly url: BrokerUrl;
  readonly origin: Origin;
  /** Its workers may have found it through Sentinels although the URL names a server. */
  readonly bySentinels?: true;
}

/** The broker where workers receive our requests, and the one they reply to; null: the same one. */
export interface ChosenBrokers {
  readonly read: ChosenBroker;
  readonly write: ChosenBroker | null;
  /** Why it cannot be used, if we know that before connecting; null: we know no reason. */
  readonly failure: BrokerFailure | null;
}

/** A text that should name a broker. */
interface Named {
  readonly text: string;
  readonly origin: Origin;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which broker to ask. These are tried in order: the flag, the variable that --broker-env names, CELERY_PROBE_BROKER.
 * Next comes what the worker itself uses: its -b, and the variables of its environment, which an entrypoint may have
 * set. Then the same variables of our own environment, then the platform's variables, then the default. Replies go to
 * the same broker, unless another one is named for writing.
 *
 * @param isGone the worker is missing. Then the variable of --broker-env may have been set only for the worker
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

/** The broker that our own options name; null: they name none. */
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
 * The broker that Celery itself would use, in Celery's order. It comes from the first program that names one, or else
 * from our environment.
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

/** A program of Celery, and the settings that tell it its broker. */
export interface Instructed {
  readonly pid: number;
  /** The value of `-b`. */
  readonly option: string | null;
  /** Null: the environment cannot be read. */
  readonly environment: Environment | null;
}

export function instructed({ pid, command, environment }: WorkerProcess): Instructed {
  return { pid, option: command.broker, environment };
}

/** Whether no setting names the broker. A platform's variable may name any Redis, so it does not count. */
export function isUnnamed({ read: { origin } }: ChosenBrokers): boolean {
  return origin.kind === "default" || (origin.kind === "environment" && origin.name === PLATFORM_VARIABLE);
}

function brokersOf({ pid, option, environment }: Instructed): ReturnType<typeof brokersIn> {
  return brokersIn(environment ?? {}, option, (name) => ({ kind: "worker", pid, name }));
}

/** The broker that a worker's command line and environment name; null: they name none, or the text is not a URL. */
export function brokerOf(worker: WorkerProcess): Broker | null {
  return namedBroker(worker)?.broker ?? null;
}

/** The same broker, with the text that names it. */
export function namedBroker(worker: WorkerProcess): BrokerUrl | null {
  const told = brokersOf(instructed(worker));
  const url = told === null ? null : brokerUrl(told.read.text);
  return url?.ok === true ? url.value : null;
}

/** Whether two workers may have the same broker: both name the same one, or one of them names none. */
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
