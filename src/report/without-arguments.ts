import { asObject } from "../pidbox/envelope.ts";

/**
 * Options of a scheduled task about its queue and its time. Headers and links are left out: they may contain as much as
 * arguments.
 */
const ROUTE = /^(?:queue|exchange|routing_key|priority|expires)$/;

/** Entries of beat's schedule contain arguments, and options that may contain as much. */
export function withoutScheduledArguments(conf: unknown): unknown {
  const settings = asObject(conf);
  if (settings === null) return conf;
  return mapped(settings, (value, name) =>
    /beat_?schedule$/i.test(name) ? mapped(asObject(value), scheduled) : value,
  );
}

/** Keeps names, ids and times. */
export function withoutArguments(active: unknown): unknown {
  return Array.isArray(active) ? active.map(withoutArgumentsOf) : active;
}

function scheduled(entry: unknown): unknown {
  return mapped(withoutArgumentsOf(entry), (value, name) =>
    name === "options" ? chosen(asObject(value), (option) => ROUTE.test(option)) : value,
  );
}

function withoutArgumentsOf(entry: unknown): Readonly<Record<string, unknown>> | null {
  return chosen(asObject(entry), (name) => !/^(?:kw)?args(?:repr)?$/.test(name));
}

function mapped(
  object: Readonly<Record<string, unknown>> | null,
  change: (value: unknown, name: string) => unknown,
): Readonly<Record<string, unknown>> | null {
  if (object === null) return null;
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));
}

function chosen(
  object: Readonly<Record<string, unknown>> | null,
  isKept: (name: string) => boolean,
): Readonly<Record<string, unknown>> | null {
  return object === null ? null : Object.fromEntries(Object.entries(object).filter(([name]) => isKept(name)));
}
