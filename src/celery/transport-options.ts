import { SEPARATOR } from "../broker/keys.ts";
import { asObject } from "../pidbox/envelope.ts";
import { isMasked, positive, readSettings } from "./settings.ts";

/** What a worker's `broker_transport_options` say of names and times (kombu/transport/redis.py `Channel`). */
export interface TransportOptions {
  /** After so many seconds kombu delivers unacknowledged messages again. */
  readonly visibilityS: number;
  /** Whether nobody has set it. */
  readonly isDefault: boolean;
  /** The hash and the sorted set of deliveries that are not acknowledged, without the prefix; null: Celery masks the name. */
  readonly unackedKey: string | null;
  readonly unackedIndexKey: string | null;
  /** What stands between a queue's name and a priority, and between the parts of a binding. */
  readonly separator: string;
  /** The priorities that have a list; the list for 0 has the queue's own name. */
  readonly prioritySteps: readonly number[];
}

/** The defaults. */
export const DEFAULT_TRANSPORT: TransportOptions = {
  visibilityS: 3_600,
  isDefault: true,
  unackedKey: "unacked",
  unackedIndexKey: "unacked_index",
  separator: SEPARATOR,
  prioritySteps: [0, 3, 6, 9],
};

/** Lists that are looked at for one queue at most: real applications have ten. */
const MOST_STEPS = 32;

/**
 * By what a worker answers to `conf` and to `stats`, undefined: it did not. `stats` has the names of keys, which
 * Celery masks in `conf`; but an option that is not JSON makes its answer fail. So a health check asks only for
 * `conf`.
 *
 * @returns null if neither tells
 */
export function transportOptions(conf: unknown, stats?: unknown): TransportOptions | null {
  const broker = asObject(asObject(stats)?.["broker"]);
  const settings = readSettings(conf);
  const told = asObject(broker?.["transport_options"]);
  if (told === null && settings === null) return null;
  const options = told ?? asObject(settings?.get("broker_transport_options")) ?? {};
  const timeout = positive(options["visibility_timeout"]);
  const { sep, priority_steps: steps } = options;
  return {
    visibilityS: timeout || DEFAULT_TRANSPORT.visibilityS,
    isDefault: timeout === 0,
    unackedKey: nameIn(options["unacked_key"], DEFAULT_TRANSPORT.unackedKey),
    unackedIndexKey: nameIn(options["unacked_index_key"], DEFAULT_TRANSPORT.unackedIndexKey),
    separator: typeof sep === "string" && sep !== "" ? sep : SEPARATOR,
    prioritySteps: readSteps(steps) ?? DEFAULT_TRANSPORT.prioritySteps,
  };
}

/** Of all workers that have answered either. */
export function transportsTold(
  conf: ReadonlyMap<string, unknown>,
  stats: ReadonlyMap<string, unknown> = new Map(),
): readonly TransportOptions[] {
  const nodes = new Set([...conf.keys(), ...stats.keys()]);
  return [...nodes].flatMap((node) => transportOptions(conf.get(node), stats.get(node)) ?? []);
}

/** The one whose deliveries end first: any worker delivers again what it finds overdue. */
export function soonest(told: readonly TransportOptions[]): TransportOptions {
  return [...told].sort((a, b) => a.visibilityS - b.visibilityS)[0] ?? DEFAULT_TRANSPORT;
}

function nameIn(value: unknown, usual: string | null): string | null {
  if (value === undefined) return usual;
  return typeof value === "string" && !isMasked(value) ? value : null;
}

function readSteps(value: unknown): readonly number[] | null {
  if (!Array.isArray(value)) return null;
  const steps = value.filter((step) => typeof step === "number" && Number.isSafeInteger(step) && step >= 0);
  return steps.length === 0 ? null : steps.slice(0, MOST_STEPS);
}
