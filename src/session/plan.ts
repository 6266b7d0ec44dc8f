import { DEFAULT_NAMING, type Naming } from "../broker/keys.ts";
import { type BrokerSettings, locate, type Located } from "../broker/settings.ts";
import { redact } from "../broker/url.ts";
import type { TlsWish } from "../broker/url-tls.ts";
import type { BrokerConfig, Origin } from "../cli/options.ts";
import type { ChosenBroker, ChosenBrokers } from "../discovery/choose-broker.ts";
import type { WorkerProcess } from "../worker/survey.ts";

/** A broker to connect to, fit to be shown, and who named it. */
export interface PlannedBroker {
  readonly located: Located;
  readonly shown: string;
  readonly origin: Origin;
}

/** What a conversation with the workers of a broker needs: where, under which names, and in what time. */
export interface SessionPlan {
  readonly broker: PlannedBroker;
  /** Where workers reply to and send their heartbeats; null: the same. */
  readonly writeBroker: PlannedBroker | null;
  readonly naming: Naming;
  /** Milliseconds that the broker may take to connect, and to answer. */
  readonly connectTimeout: number;
  /** Workers in sight: of several servers in one URL, the one that they are connected to is meant. */
  readonly workers: readonly WorkerProcess[];
}

export function planSession(
  config: BrokerConfig,
  { read, write }: ChosenBrokers,
  workers: readonly WorkerProcess[],
): SessionPlan {
  const settings = settingsOf(config);
  return {
    broker: planned(read, settings),
    writeBroker: write === null ? null : planned(write, settings),
    naming: {
      prefix: config["global-keyprefix"].value ?? DEFAULT_NAMING.prefix,
      fanoutPrefix: config["fanout-prefix"].value ?? DEFAULT_NAMING.fanoutPrefix,
      controlExchange: config["control-exchange"].value ?? DEFAULT_NAMING.controlExchange,
    },
    connectTimeout: config["connect-timeout"].value,
    workers,
  };
}

/** The database that is spoken of until a server is found; alternates may name others. */
export function firstDatabase({ located }: PlannedBroker): number {
  return located.kind === "servers" ? located.servers[0].db : located.master.db;
}

/** What the options say beyond a URL. */
export function settingsOf(config: BrokerConfig): BrokerSettings {
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
