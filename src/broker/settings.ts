import type { Broker, BrokerTarget } from "./url.ts";
import type { TlsWish } from "./url-tls.ts";

/** What kombu reads from its settings and not from the URL: `broker_use_ssl` and `broker_transport_options`. */
export interface BrokerSettings {
  /** Overrides what the URL says about TLS; null: only the URL counts. */
  readonly tls: Partial<TlsWish> | null;
  /** Null: the Sentinels know only one master. */
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
    // redis-py does not use TLS on a unix socket.
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

/** As in a URL: TLS without other settings verifies nothing. Any setting about certificates makes them count. */
function tlsOf(url: TlsWish | null, settings: Partial<TlsWish> | null): TlsWish | null {
  if (settings === null) return url;
  const says = Object.keys(settings).length > 0;
  const reqs = settings.reqs ?? (says ? (hasWords(url) ? url.reqs : "required") : (url?.reqs ?? "none"));
  return { ...url, ...settings, reqs };
}

/** Whether the URL has settings for TLS, not only TLS itself. */
function hasWords(url: TlsWish | null): url is TlsWish {
  return url !== null && (url.reqs !== "none" || Object.keys(url).length > 1);
}
