import { controlChannel, type Destination, replyKey } from "../broker/keys.ts";
import { type BrokerTarget, redact } from "../broker/url.ts";
import type { Config, Origin } from "../cli/options.ts";
import type { UsageProblem } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { ReplyList } from "../pidbox/mailbox.ts";
import type { Survey } from "../worker/survey.ts";
import type { Asked } from "./asked.ts";
import { chooseBroker } from "./choose-broker.ts";
import type { Rules } from "./judgement.ts";
import { lookAround } from "./look-around.ts";
import { chooseTargets, type Target } from "./targets.ts";

/** What the run is going to do: the configuration applied to this machine. Durations in milliseconds. */
export interface Plan {
  readonly broker: { readonly target: BrokerTarget; readonly shown: string; readonly origin: Origin };
  readonly asked: Asked;
  /** The nodes asked with their processes; empty where everybody is asked. */
  readonly targets: readonly Target[];
  /** Workers in sight that are not asked. */
  readonly others: readonly string[];
  /** Where the probe runs, and who is in sight there. */
  readonly place: Placement;
  readonly destination: Destination;
  readonly channel: string;
  readonly prefix: string;
  /** The routing key of the replies: the list's key without the prefix. */
  readonly replyTo: string;
  readonly replies: ReplyList;
  readonly pings: number;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly deadline: number;
  /** null: not given. */
  readonly busyGrace: number | null;
  readonly rules: Rules;
  readonly stateFile: string | null;
  readonly pidfile: string | null;
}

/** Where the probe runs. `survey` is null where nobody looks, or nothing can be seen. */
export type Placement =
  | { readonly kind: "inside"; readonly survey: Survey }
  | { readonly kind: "out-of-sight"; readonly because: "remote" | "beside" | "no-proc" };

/** Elements of the reply list that the next ping leaves: one node's, and a whole fleet's. */
const KEEP_ONE = 32;
const KEEP_MANY = 4_096;

/** Works out whom to ask and where. */
export function planCheck(config: Config, host: Host): Outcome<Plan, UsageProblem> {
  const least = config["min-nodes"].value;
  const isAny = least !== null || config.any.value;
  // Who asks everybody asks for nobody here, and takes no broker from anybody here either.
  const around = isAny ? success(null) : lookAround(config, host);
  if (!around.ok) return around;
  const survey = around.value;
  const { list, others } = chooseTargets(config.node.value, survey, host);
  const targets = isAny ? [] : list;
  const workers = list.flatMap(({ worker }) => worker ?? []);
  const broker = chooseBroker(config, host, workers);
  if (!broker.ok) return broker;

  const nodes = [...new Set(list.map(({ node }) => node))];
  const asked: Asked = isAny ? { kind: "any", atLeast: least ?? 1 } : { kind: "nodes", nodes };
  const destination = isAny ? "everyone" : nodes;
  const { target, text } = broker.value.url;
  const prefix = config["global-keyprefix"].value ?? "";
  const replyTo = replyKey(destination);
  return success({
    broker: { target, shown: redact(text), origin: broker.value.origin },
    asked,
    targets,
    others,
    place: placeOf(config.placement.value, survey, nodes, host.hostname),
    destination,
    channel: controlChannel(target.db, prefix),
    prefix,
    replyTo,
    replies: { key: prefix + replyTo, keep: !isAny && nodes.length === 1 ? KEEP_ONE : KEEP_MANY },
    pings: 1 + config.retries.value,
    timeout: config.timeout.value,
    connectTimeout: config["connect-timeout"].value,
    deadline: config.deadline.value,
    busyGrace: config["busy-grace"].value,
    rules: {
      asked,
      db: target.db,
      prefix,
      startGraceMs: config["start-grace"].value ?? 0,
      strict: config.strict.value,
      work: {
        queues: config.queue.value,
        requireConsuming: config["require-consuming"].value,
        maxTaskAge: config["max-task-age"].value,
        maxQueueLength: config["max-queue-length"].value,
      },
    },
    stateFile: config["state-file"].value,
    pidfile: config.pidfile.value,
  });
}

/**
 * Inside is where a worker is in sight, or where one should be: its name has this machine's own host name. A pod's
 * containers share the host name without sharing processes, which only the user can say.
 */
function placeOf(
  given: "auto" | "inside" | "beside" | "remote",
  survey: Survey | null,
  nodes: readonly string[],
  hostname: string,
): Placement {
  if (survey === null) return { kind: "out-of-sight", because: "remote" };
  const inside: Placement = { kind: "inside", survey };
  if (survey.workers.length > 0) return inside;
  if (!survey.visible) return { kind: "out-of-sight", because: "no-proc" };
  if (given === "inside") return inside;
  // A worker's remains show as well that its processes are in sight.
  if (given === "beside" && survey.zombies.length > 0) return inside;
  if (given === "beside") return { kind: "out-of-sight", because: "beside" };
  const belongsHere = nodes.some((node) => node.slice(node.indexOf("@") + 1) === hostname);
  return belongsHere ? inside : { kind: "out-of-sight", because: "remote" };
}
