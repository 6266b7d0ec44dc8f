import { DEFAULT_BROKER_URL, redact } from "../broker/url.ts";
import {
  BROKER_VARIABLES,
  type Config,
  type Origin,
  PLATFORM_VARIABLE,
  READ_VARIABLE,
  WRITE_VARIABLE,
} from "../cli/options.ts";
import { complaint, mask, type UsageProblem, wrong } from "../cli/usage.ts";
import { type BrokerUrl, brokerUrl } from "../cli/values.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { ownEntry } from "../own-entry.ts";
import type { WorkerProcess } from "../worker/survey.ts";

/** A broker, and who named it. */
export interface ChosenBroker {
  readonly url: BrokerUrl;
  readonly origin: Origin;
}

/** Where workers hear us, and where they reply to; null: to the same. */
export interface ChosenBrokers {
  readonly read: ChosenBroker;
  readonly write: ChosenBroker | null;
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
 */
export function chooseBrokers(
  config: Config,
  { env }: Host,
  workers: readonly WorkerProcess[],
): Outcome<ChosenBrokers, UsageProblem> {
  const named = namedByUser(config, env);
  if (!named.ok) return named;
  const { read, write } =
    named.value === null ? namedForCelery(env, workers) : { read: named.value, write: null };
  const reading = "url" in read ? success(read) : readUrl(read);
  if (!reading.ok) return reading;
  const { value: given, origin } = config["broker-write-url"];
  if (given !== null) return success({ read: reading.value, write: { url: given, origin } });
  if (write === null || write.text === reading.value.url.text)
    return success({ read: reading.value, write: null });
  const writing = readUrl(write);
  return writing.ok ? success({ read: reading.value, write: writing.value }) : writing;
}

/** The broker that our own options name; null: none does. */
function namedByUser(config: Config, env: Environment): Outcome<ChosenBroker | Named | null, UsageProblem> {
  const { value, origin } = config.broker;
  const indirect = config["broker-env"];
  if (value !== null && (origin.kind === "flag" || indirect.value === null)) {
    return success({ url: value, origin });
  }
  if (indirect.value === null) return success(null);
  const text = ownEntry(env, indirect.value);
  if (text) return success({ text, origin: { kind: "environment", name: indirect.value } });
  const problem = "is not set: expected a variable with the broker URL";
  return wrong(complaint(indirect.origin, mask(indirect.value), problem));
}

/** What Celery itself is told, in its own order: by the first worker that is told anything, else by our environment. */
function namedForCelery(
  env: Environment,
  workers: readonly WorkerProcess[],
): { readonly read: Named; readonly write: Named | null } {
  for (const worker of workers) {
    const told = toldTo(worker);
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

/** What a worker's command line and environment name; null: nothing. */
function toldTo({ pid, command, environment }: WorkerProcess): ReturnType<typeof brokersIn> {
  return brokersIn(environment ?? {}, command.broker ?? null, (name) => ({ kind: "worker", pid, name }));
}

/** Whether two workers may have one broker: they are told of the same, or one of them is told of none. */
export function mayShareBroker(one: WorkerProcess, other: WorkerProcess): boolean {
  const [first, second] = [one, other].map((worker) => {
    const told = toldTo(worker);
    const url = told === null ? null : brokerUrl(told.read.text);
    return url?.ok === true ? JSON.stringify(url.value.broker) : null;
  });
  return first === null || second === null || first === second;
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
  return url.ok ? success({ url: url.value, origin }) : wrong(complaint(origin, redact(text), url.problem));
}
