import {
  DEFAULT_NAMING,
  type Destination,
  type Naming,
  replyKey,
  type Route,
  routesTo,
} from "../broker/keys.ts";
import { type BrokerSettings, locate, type Located } from "../broker/settings.ts";
import { redact } from "../broker/url.ts";
import type { TlsWish } from "../broker/url-tls.ts";
import type { Config, Origin } from "../cli/options.ts";
import type { UsageProblem } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { Survey } from "../worker/survey.ts";
import type { Asked } from "./asked.ts";
import { chooseBrokers, type ChosenBroker } from "../discovery/choose-broker.ts";
import type { Rules } from "./judgement.ts";
import { lookAround } from "../discovery/look-around.ts";
import { readStateFile, type StateText } from "./state-file.ts";
import { chooseTargets, type Target } from "../discovery/targets.ts";

/** A broker to connect to, fit to be shown, and who named it. */
export interface PlannedBroker {
  readonly located: Located;
  readonly shown: string;
  readonly origin: Origin;
}

/** What the run is going to do: the configuration applied to this machine. Durations in milliseconds. */
export interface Plan {
  readonly broker: PlannedBroker;
  /** Where workers reply to and send their heartbeats; null: the same. */
  readonly writeBroker: PlannedBroker | null;
  readonly asked: Asked;
  /** The nodes asked with their processes; empty where everybody is asked. */
  readonly targets: readonly Target[];
  /** Workers in sight that are not asked. */
  readonly others: readonly string[];
  /** Where the probe runs, and who is in sight there. */
  readonly place: Placement;
  readonly destination: Destination;
  readonly naming: Naming;
  /** The usual way to the workers of a database; see {@link routesTo} for all. */
  readonly route: Route;
  /** The routing key of the replies: the list's key without the prefix. */
  readonly replyTo: string;
  /** Elements of a reply list that the next ping leaves. */
  readonly keep: number;
  readonly pings: number;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly deadline: number;
  /** null: not given. */
  readonly busyGrace: number | null;
  readonly rules: Rules;
  readonly stateFile: StateText | null;
  readonly pidfile: string | null;
}

/** Where the probe runs, and whether workers' processes are in sight there, or would be. */
export type Placement =
  | { readonly kind: "in-sight"; readonly name: "inside" | "beside"; readonly survey: Survey }
  | { readonly kind: "out-of-sight"; readonly name: "remote" | "beside" | "no-proc" };

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
  const stateFile = readStateFile(config["state-file"], host);
  if (!stateFile.ok) return stateFile;
  const survey = around.value;
  const { list, others } = chooseTargets(config.node.value, survey, host);
  const targets = isAny ? [] : list;
  const workers = list.flatMap(({ worker }) => worker ?? []);
  const brokers = chooseBrokers(config, host, workers);
  if (!brokers.ok) return brokers;

  const nodes = [...new Set(list.map(({ node }) => node))];
  const asked: Asked = isAny ? { kind: "any", atLeast: least ?? 1 } : { kind: "nodes", nodes };
  const destination = isAny ? "everyone" : nodes;
  const settings = settingsOf(config);
  const { read, write } = brokers.value;
  const broker = planned(read, settings);
  const naming: Naming = {
    prefix: config["global-keyprefix"].value ?? DEFAULT_NAMING.prefix,
    fanoutPrefix: config["fanout-prefix"].value ?? DEFAULT_NAMING.fanoutPrefix,
    controlExchange: config["control-exchange"].value ?? DEFAULT_NAMING.controlExchange,
  };
  const replyTo = replyKey(destination, naming.controlExchange);
  return success({
    broker,
    writeBroker: write === null ? null : planned(write, settings),
    asked,
    targets,
    others,
    place: placeOf(config.placement.value, survey, nodes, host.hostname),
    destination,
    naming,
    route: routesTo(firstDatabase(broker.located), naming, replyTo, false)[0],
    replyTo,
    keep: !isAny && nodes.length === 1 ? KEEP_ONE : KEEP_MANY,
    pings: 1 + config.retries.value,
    timeout: config.timeout.value,
    connectTimeout: config["connect-timeout"].value,
    deadline: config.deadline.value,
    busyGrace: config["busy-grace"].value,
    rules: {
      asked,
      naming,
      startGraceMs: config["start-grace"].value ?? 0,
      strict: config.strict.value,
      work: {
        queues: config.queue.value,
        requireConsuming: config["require-consuming"].value,
        maxTaskAge: config["max-task-age"].value,
        maxQueueLength: config["max-queue-length"].value,
      },
    },
    stateFile: stateFile.value,
    pidfile: config.pidfile.value,
  });
}

/** What the options say beyond a URL. */
export function settingsOf(config: Config): BrokerSettings {
  const certificates: Partial<TlsWish> = {
    ...said("reqs", config["ssl-cert-reqs"].value),
    ...said("caCerts", config["ssl-ca-certs"].value),
    ...said("certfile", config["ssl-certfile"].value),
    ...said("keyfile", config["ssl-keyfile"].value),
    ...said("checkHostname", asBoolean(config["ssl-check-hostname"].value)),
  };
  return {
    tls: config.tls.value || Object.keys(certificates).length > 0 ? certificates : null,
    masterName: config["master-name"].value,
    sentinelUsername: config["sentinel-username"].value,
    sentinelPassword: config["sentinel-password"].value,
    sentinelTls: config["sentinel-tls"].value,
  };
}

function said<K extends keyof TlsWish>(name: K, value: TlsWish[K] | null): Partial<TlsWish> {
  return value === null ? {} : { [name]: value };
}

function asBoolean(word: "true" | "false" | null): boolean | null {
  return word === null ? null : word === "true";
}

function planned({ url, origin }: ChosenBroker, settings: BrokerSettings): PlannedBroker {
  return { located: locate(url.broker, settings), shown: redact(url.text), origin };
}

/** The database that is spoken of until a server is found; alternates may name others. */
function firstDatabase(located: Located): number {
  return located.kind === "servers" ? located.servers[0].db : located.master.db;
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
  if (survey === null) return { kind: "out-of-sight", name: "remote" };
  const inSight: Placement = { kind: "in-sight", name: given === "beside" ? "beside" : "inside", survey };
  if (survey.workers.length > 0) return inSight;
  if (!survey.visible) return { kind: "out-of-sight", name: "no-proc" };
  if (given === "inside") return inSight;
  // Nothing shows that a zombie was a worker: it has no command line, and may be any Python of our own container.
  if (given === "beside") return { kind: "out-of-sight", name: "beside" };
  const belongsHere = nodes.some((node) => node.slice(node.indexOf("@") + 1) === hostname);
  return belongsHere ? inSight : { kind: "out-of-sight", name: "remote" };
}
