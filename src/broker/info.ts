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
