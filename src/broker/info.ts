/** The lines `name:value` of an answer to INFO. */
export function infoFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

/** Null: it does not say. */
export function infoNumber(info: ReadonlyMap<string, string>, name: string): number | null {
  const value = Number(info.get(name) ?? NaN);
  return Number.isFinite(value) ? value : null;
}

/** Redis or Valkey: only what has the form of a version is repeated. */
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

/** Whom a server follows. */
export interface Following {
  /** As `host:port`. */
  readonly primary: string;
  /** Whether it is connected to it. */
  readonly isLinked: boolean;
}

/** Null: it is a primary, or does not say what it is. */
export function infoFollowing(info: ReadonlyMap<string, string>): Following | null {
  if (info.get("role") !== "slave") return null;
  const host = info.get("master_host") ?? "?";
  return {
    primary: `${host.includes(":") ? `[${host}]` : host}:${info.get("master_port") ?? "?"}`,
    isLinked: info.get("master_link_status") === "up",
  };
}

/** How long it has run; null where it does not say, or its clock was set back. */
export function infoUptimeS(info: ReadonlyMap<string, string>): number | null {
  const upS = infoNumber(info, "uptime_in_seconds");
  return upS === null || upS < 0 ? null : upS;
}

/** Whether it has room, and throws nothing away. Bytes. */
export interface ServerMemory {
  readonly used: number;
  /** Null: none. */
  readonly limit: number | null;
  /** `maxmemory-policy`: any but `noeviction` may throw tasks away. */
  readonly policy: string | null;
  /** Keys that it has thrown away since it was started. */
  readonly evicted: number;
}

/** https://redis.io/docs/latest/develop/reference/eviction/ */
const POLICY = /^(?:noeviction|(?:allkeys|volatile)-(?:lru|lfu|lrm|random|ttl))$/;

/** Null: it does not say. */
export function infoMemory(info: ReadonlyMap<string, string>): ServerMemory | null {
  const used = infoNumber(info, "used_memory");
  if (used === null) return null;
  const limit = infoNumber(info, "maxmemory") || null;
  const policy = info.get("maxmemory_policy")?.match(POLICY)?.[0] ?? null;
  return { used, limit, policy, evicted: infoNumber(info, "evicted_keys") ?? 0 };
}
