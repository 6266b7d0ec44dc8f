import type { Broker, BrokerTarget } from "./url.ts";
import type { TlsWish } from "./url-tls.ts";

/** What kombu takes from its settings and not from the URL: `broker_use_ssl` and `broker_transport_options`. */
export interface BrokerSettings {
  /** Laid over what the URL says of TLS; null: only the URL counts. */
  readonly tls: Partial<TlsWish> | null;
  /** Null: the only one that the Sentinels know. */
  readonly masterName: string | null;
  /** `sentinel_kwargs`. */
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  readonly sentinelTls: boolean;
}

/** A broker URL with the settings applied: all that is needed to connect. */
export type Located =
  | { readonly kind: "servers"; readonly servers: readonly [BrokerTarget, ...BrokerTarget[]] }
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly BrokerTarget[];
      readonly masterName: string | null;
      readonly master: Omit<BrokerTarget, "place">;
    };

/** Applies the settings to what the URL says. */
export function locate(broker: Broker, settings: BrokerSettings): Located {
  const secured = <T extends { readonly tls: TlsWish | null }>(target: T): T => ({
    ...target,
    tls: tlsOf(target.tls, settings.tls),
  });
  if (broker.kind === "servers") {
    // redis-py speaks no TLS through a socket.
    const server = (target: BrokerTarget) => (target.place.kind === "socket" ? target : secured(target));
    const [first, ...rest] = broker.servers;
    return { kind: "servers", servers: [server(first), ...rest.map(server)] };
  }
  const master = secured(broker.master);
  const { sentinelUsername: username, sentinelPassword: password, sentinelTls, masterName } = settings;
  const login = {
    db: 0,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    tls: sentinelTls ? (master.tls ?? { reqs: "none" as const }) : null,
  };
  const sentinels = broker.sentinels.map((place) => ({
    place: { kind: "tcp" as const, ...place },
    ...login,
  }));
  return { kind: "sentinel", sentinels, masterName, master };
}

/** As in a URL: TLS without a word verifies nothing, and any word about certificates means that they count. */
function tlsOf(url: TlsWish | null, settings: Partial<TlsWish> | null): TlsWish | null {
  if (settings === null) return url;
  const says = Object.keys(settings).length > 0;
  const reqs = settings.reqs ?? (says ? (hasWords(url) ? url.reqs : "required") : (url?.reqs ?? "none"));
  return { ...url, ...settings, reqs };
}

/** Whether the URL has settings for TLS, besides switching it on. */
function hasWords(url: TlsWish | null): url is TlsWish {
  return url !== null && (url.reqs !== "none" || Object.keys(url).length > 1);
}
