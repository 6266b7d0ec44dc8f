import { type CeleryVersion, PAIRS } from "./pairs.ts";

/** Where a worker's remote control is on its broker; like pidbox-by-hand.ts without a line of `src/`. */
export interface Mailbox {
  /** Where it listens. */
  readonly channel: string;
  /** What stands in front of all its keys, that of a reply list included. */
  readonly keyPrefix: string;
}

/**
 * What kombu makes of URL and settings (`transport/redis.py`: `Channel.__init__`, `_get_publish_topic`,
 * `SentinelChannel._get_pool`, `GlobalKeyPrefixMixin`).
 *
 * @param settings Celery's, by their lower-case names
 */
export function mailboxOf(
  version: CeleryVersion,
  brokerUrl: string,
  settings: Readonly<Record<string, unknown>>,
): Mailbox {
  const { kombu } = PAIRS[version];
  const options = (settings["broker_transport_options"] ?? {}) as {
    readonly global_keyprefix?: string;
    readonly fanout_prefix?: string | boolean;
  };
  const keyPrefix = isBefore(kombu, "5.2.4") ? "" : (options.global_keyprefix ?? "");
  const { fanout_prefix: wanted = true } = options;
  const prefix = wanted === true ? "/{db}." : wanted === false ? "" : wanted;
  // Sentinel's channel forgot to put the number in.
  const isLiteral = brokerUrl.startsWith("sentinel://") && isBefore(kombu, "5.4.0");
  const fanout = isLiteral ? prefix : prefix.replaceAll("{db}", String(databaseOf(brokerUrl)));
  const exchange = typeof settings["control_exchange"] === "string" ? settings["control_exchange"] : "celery";
  return { channel: `${keyPrefix}${fanout}${exchange}.pidbox`, keyPrefix };
}

/** The database of the first URL of a list, in whichever place its scheme has it. */
export function databaseOf(brokerUrl: string): number {
  const [first = ""] = brokerUrl.split(";");
  const inQuery = /[?&]virtual_host=(\d+)/.exec(first)?.[1];
  if (first.startsWith("redis+socket:")) return Number(inQuery ?? 0);
  return Number(new URL(first).pathname.slice(1));
}

function isBefore(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
