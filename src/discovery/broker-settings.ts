import { DEFAULT_NAMING, type Naming } from "../broker/keys.ts";
import type { BrokerSettings } from "../broker/settings.ts";
import type { TlsWish } from "../broker/url-tls.ts";
import type { BrokerConfig } from "../cli/options.ts";

/** The workers' settings that names of keys and channels are built from. */
export function namingOf(config: BrokerConfig): Naming {
  return {
    prefix: config["global-keyprefix"].value ?? DEFAULT_NAMING.prefix,
    fanoutPrefix: config["fanout-prefix"].value ?? DEFAULT_NAMING.fanoutPrefix,
    controlExchange: config["control-exchange"].value ?? DEFAULT_NAMING.controlExchange,
  };
}

/** What the options say in addition to a URL. */
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
