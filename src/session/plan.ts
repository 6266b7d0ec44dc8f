import type { BrokerFailure } from "../broker/failure.ts";
import type { Naming } from "../broker/keys.ts";
import { type BrokerSettings, locate, type Located } from "../broker/settings.ts";
import { redact } from "../broker/url.ts";
import type { BrokerConfig, Origin } from "../cli/options.ts";
import { namingOf, settingsOf } from "../discovery/broker-settings.ts";
import type { ChosenBroker, ChosenBrokers } from "../discovery/choose-broker.ts";

/** A broker to connect to, fit to be shown, and who named it. */
export interface PlannedBroker {
  readonly located: Located;
  readonly shown: string;
  readonly origin: Origin;
  /** Whether its workers may have come by Sentinels. */
  readonly bySentinels: boolean;
}

/** What a conversation with the workers of a broker needs: servers, names and time. */
export interface SessionPlan {
  readonly broker: PlannedBroker;
  /** Where workers reply to and send their heartbeats; null: the same. */
  readonly writeBroker: PlannedBroker | null;
  readonly naming: Naming;
  /** Milliseconds that the broker may take to connect, and to answer. */
  readonly connectTimeout: number;
  /** Why the broker cannot be used, where that is known before it is connected to; null: nothing is known against it. */
  readonly failure: BrokerFailure | null;
  /**
   * The workers in sight, or programs that may be one. Of several servers in one URL, or several addresses of a name,
   * their connections show the one that is meant.
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

/** The database that is spoken of until a server is found; alternates may name others. */
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
