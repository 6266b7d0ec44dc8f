import { type CeleryVersion, PAIRS } from "./pairs.ts";

/** The place of a worker's remote control on its broker. Like pidbox-by-hand.ts, it uses no code of `src/`. */
export interface Mailbox {
  /** The channel that it listens on. */
  readonly channel: string;
  /** The prefix of all its keys, including reply lists. */
  readonly keyPrefix: string;
}

/**
 * What kombu derives from URL and settings (`transport/redis.py`: `Channel.__init__`, `_get_publish_topic`,
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
  // Sentinel's channel does not insert the number in these versions.
  const isLiteral = brokerUrl.startsWith("sentinel://") && isBefore(kombu, "5.4.0");
  const fanout = isLiteral ? prefix : prefix.replaceAll("{db}", String(databaseOf(brokerUrl)));
  const exchange = typeof settings["control_exchange"] === "string" ? settings["control_exchange"] : "celery";
  return { channel: `${keyPrefix}${fanout}${exchange}.pidbox`, keyPrefix };
}

/** The database of the first URL of a list. Its place in the URL depends on the scheme. */
export function databaseOf(brokerUrl: string): number {
  const [first = ""] = brokerUrl.split(";");
  const inQuery = /[?&]virtual_host=(\d+)/.exec(first)?.[1];
  if (first.startsWith("redis+socket:")) return Number(inQuery ?? 0);
  return Number(new URL(first).pathname.slice(1));
}

function isBefore(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
