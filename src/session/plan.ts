import type { BrokerFailure } from "../broker/failure.ts";
import type { Naming } from "../broker/keys.ts";
import { type BrokerSettings, locate, type Located } from "../broker/settings.ts";
import { redact } from "../broker/url.ts";
import type { BrokerConfig, Origin } from "../cli/options.ts";
import { namingOf, settingsOf } from "../discovery/broker-settings.ts";
import type { ChosenBroker, ChosenBrokers } from "../discovery/choose-broker.ts";

/** A broker to connect to, its masked URL, and what named it. */
export interface PlannedBroker {
  readonly located: Located;
  readonly shown: string;
  readonly origin: Origin;
  /** Whether workers may have found the broker by Sentinels. */
  readonly bySentinels: boolean;
}

/** What a session with a broker's workers needs: servers, names and time limits. */
export interface SessionPlan {
  readonly broker: PlannedBroker;
  /** The broker where workers send replies and heartbeats. Null: the same broker. */
  readonly writeBroker: PlannedBroker | null;
  readonly naming: Naming;
  /** In milliseconds. The time limit for connecting, and for each answer of the broker. */
  readonly connectTimeout: number;
  /** Why the broker cannot be used, if that is known before connecting. Null: no problem is known. */
  readonly failure: BrokerFailure | null;
  /**
   * The workers in sight, or programs that may be a worker. If a URL or a name has several servers, their connections
   * show the right one.
   */
  readonly pids: readonly number[];
}

export function planSession(
  config: BrokerConfig,
  { read, write, failure }: ChosenBrokers,
  pids: readonly number[],
): SessionPlan {
  const settings = settingsOf(config);
  return {
    broker: planned(read, settings),
    writeBroker: write === null ? null : planned(write, settings),
    naming: namingOf(config),
    connectTimeout: config["connect-timeout"].value,
    failure,
    pids,
  };
}

/** The database that messages name before a server is found. Alternate servers may have another one. */
export function firstDatabase({ located }: PlannedBroker): number {
  return located.kind === "servers" ? located.servers[0].db : located.master.db;
}

function planned({ url, origin, bySentinels }: ChosenBroker, settings: BrokerSettings): PlannedBroker {
  const located = locate(url.broker, settings);
  return {
    located,
    shown: redact(url.text),
    origin,
    bySentinels: located.kind === "sentinel" || bySentinels === true,
  };
}
