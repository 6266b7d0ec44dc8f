import { DEFAULT_BROKER_URL, redact } from "../broker/url.ts";
import { BROKER_VARIABLES, type Config, type Origin, PLATFORM_VARIABLE } from "../cli/options.ts";
import { complaint, mask, type UsageProblem, wrong } from "../cli/usage.ts";
import { type BrokerUrl, brokerUrl } from "../cli/values.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { WorkerProcess } from "../worker/survey.ts";

/** A broker, and who named it. */
export interface ChosenBroker {
  readonly url: BrokerUrl;
  readonly origin: Origin;
}

/**
 * Which broker to ask: the flag, the variable that --broker-env names, CELERY_PROBE_BROKER; then what the worker
 * itself uses, its -b and the variables of its environment, which an entrypoint may have set; then the same variables
 * of ours; the platform's; the default.
 */
export function chooseBroker(
  config: Config,
  { env }: Host,
  workers: readonly WorkerProcess[],
): Outcome<ChosenBroker, UsageProblem> {
  const { value, origin } = config.broker;
  const indirect = config["broker-env"];
  if (value !== null && (origin.kind === "flag" || indirect.value === null)) {
    return success({ url: value, origin });
  }
  if (indirect.value !== null) {
    const text = env[indirect.value];
    if (text) return readUrl(text, { kind: "environment", name: indirect.value });
    const problem = "is not set: expected a variable with the broker URL";
    return wrong(complaint(indirect.origin, mask(indirect.value), problem));
  }
  for (const { pid, command, environment } of workers) {
    if (command.broker) return readUrl(command.broker, { kind: "worker", pid, name: "-b" });
    const name = BROKER_VARIABLES.find((variable) => environment?.[variable]);
    const text = name === undefined ? undefined : environment?.[name];
    if (name !== undefined && text) return readUrl(text, { kind: "worker", pid, name });
  }
  const name = [...BROKER_VARIABLES, PLATFORM_VARIABLE].find((variable) => env[variable]);
  const text = name === undefined ? undefined : env[name];
  return name === undefined || text === undefined
    ? readUrl(DEFAULT_BROKER_URL, { kind: "default" })
    : readUrl(text, { kind: "environment", name });
}

function readUrl(text: string, origin: Origin): Outcome<ChosenBroker, UsageProblem> {
  const url = brokerUrl(text);
  return url.ok ? success({ url: url.value, origin }) : wrong(complaint(origin, redact(text), url.problem));
}
