/** The lines `name:value` of an answer to INFO. */
export function infoFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

/** Null: the server does not say. */
export function infoNumber(info: ReadonlyMap<string, string>, name: string): number | null {
  const value = Number(info.get(name) ?? NaN);
  return Number.isFinite(value) ? value : null;
}

/** `Redis` or `Valkey` with the version. The version is repeated only if it has the form of one. */
export function infoServer(info: ReadonlyMap<string, string>): string | null {
  for (const [name, field] of [
    ["Valkey", "valkey_version"],
    ["Redis", "redis_version"],
  ] as const) {
    const version = info.get(field);
    if (version !== undefined)
      return /^\d+(?:\.\d+)+(?:-rc\d+)?$/.test(version) ? `${name} ${version}` : name;
  }
  return null;
}

/** The primary that a server replicates. */
export interface Following {
  /** As `host:port`. */
  readonly primary: string;
  /** Whether the server is connected to it. */
  readonly isLinked: boolean;
}

/** Null: the server is a primary, or does not say what it is. */
export function infoFollowing(info: ReadonlyMap<string, string>): Following | null {
  if (info.get("role") !== "slave") return null;
  const host = info.get("master_host") ?? "?";
  return {
    primary: `${host.includes(":") ? `[${host}]` : host}:${info.get("master_port") ?? "?"}`,
    isLinked: info.get("master_link_status") === "up",
  };
}

/** How long the server has run; null: it does not say, or its clock was set back. */
export function infoUptimeS(info: ReadonlyMap<string, string>): number | null {
  const upS = infoNumber(info, "uptime_in_seconds");
  return upS === null || upS < 0 ? null : upS;
}

/** The memory of a server: how much it has left, and whether it evicts keys. In bytes. */
export interface ServerMemory {
  readonly used: number;
  /** Null: no limit. */
  readonly limit: number | null;
  /** `maxmemory-policy`: all except `noeviction` may evict tasks. */
  readonly policy: string | null;
  /** Keys that it has evicted since it started. */
  readonly evicted: number;
}

/** https://redis.io/docs/latest/develop/reference/eviction/ */
const POLICY = /^(?:noeviction|(?:allkeys|volatile)-(?:lru|lfu|lrm|random|ttl))$/;

/** Null: the server does not say. */
export function infoMemory(info: ReadonlyMap<string, string>): ServerMemory | null {
  const used = infoNumber(info, "used_memory");
  if (used === null) return null;
  const limit = infoNumber(info, "maxmemory") || null;
  const policy = info.get("maxmemory_policy")?.match(POLICY)?.[0] ?? null;
  return { used, limit, policy, evicted: infoNumber(info, "evicted_keys") ?? 0 };
}
