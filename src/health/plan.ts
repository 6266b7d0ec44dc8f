import { controlChannel, type Destination, replyKey } from "../broker/keys.ts";
import { type BrokerTarget, DEFAULT_BROKER_URL, redact } from "../broker/url.ts";
import { BROKER_VARIABLES, type Config, type Origin } from "../cli/options.ts";
import { complaint, mask, type UsageProblem, wrong } from "../cli/usage.ts";
import { type BrokerUrl, brokerUrl } from "../cli/values.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { ReplyList } from "../pidbox/mailbox.ts";
import { nodeName } from "../worker/node-name.ts";

/** Who has to answer. */
export type Asked =
  | { readonly kind: "nodes"; readonly nodes: readonly string[] }
  | { readonly kind: "any"; readonly atLeast: number };

/** What the run is going to do: the configuration applied to this machine. Durations in milliseconds. */
export interface Plan {
  readonly broker: { readonly target: BrokerTarget; readonly shown: string; readonly origin: Origin };
  readonly asked: Asked;
  readonly destination: Destination;
  readonly channel: string;
  readonly replies: ReplyList;
  readonly pings: number;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly deadline: number;
}

/** Elements of the reply list that the next ping leaves: one node's, and a whole fleet's. */
const KEEP_ONE = 32;
const KEEP_MANY = 4_096;

/** Works out whom to ask and where. */
export function planCheck(config: Config, host: Host): Outcome<Plan, UsageProblem> {
  const broker = chooseBroker(config, host);
  if (!broker.ok) return broker;
  const asked = chooseNodes(config, host);
  const destination = asked.kind === "nodes" ? asked.nodes : "everyone";
  const { target, text } = broker.value.url;
  return success({
    broker: { target, shown: redact(text), origin: broker.value.origin },
    asked,
    destination,
    channel: controlChannel(target.db),
    replies: {
      key: replyKey(destination, host.sha1),
      keep: destination !== "everyone" && destination.length === 1 ? KEEP_ONE : KEEP_MANY,
    },
    pings: 1 + config.retries.value,
    timeout: config.timeout.value,
    connectTimeout: config["connect-timeout"].value,
    deadline: config.deadline.value,
  });
}

interface ChosenBroker {
  readonly url: BrokerUrl;
  readonly origin: Origin;
}

/** The flag, the variable that --broker-env names, CELERY_PROBE_BROKER, the worker's own variables, the default. */
function chooseBroker(config: Config, { env }: Host): Outcome<ChosenBroker, UsageProblem> {
  const { value, origin } = config.broker;
  const indirect = config["broker-env"];
  if (value !== null && (origin.kind === "flag" || indirect.value === null)) {
    return success({ url: value, origin });
  }
  const name = indirect.value ?? BROKER_VARIABLES.find((variable) => env[variable]);
  if (name === undefined) return readUrl(DEFAULT_BROKER_URL, { kind: "default" });
  const text = env[name];
  if (text === undefined || text === "") {
    const problem = "is not set: expected a variable with the broker URL";
    return wrong(complaint(indirect.origin, mask(name), problem));
  }
  return readUrl(text, { kind: "environment", name });
}

function readUrl(text: string, origin: Origin): Outcome<ChosenBroker, UsageProblem> {
  const url = brokerUrl(text);
  return url.ok ? success({ url: url.value, origin }) : wrong(complaint(origin, redact(text), url.problem));
}

function chooseNodes(config: Config, { hostname }: Host): Asked {
  const least = config["min-nodes"].value;
  if (least !== null || config.any.value) return { kind: "any", atLeast: least ?? 1 };
  const given = config.node.value.length > 0 ? config.node.value : [""];
  return { kind: "nodes", nodes: [...new Set(given.map((name) => nodeName(name, hostname)))] };
}
