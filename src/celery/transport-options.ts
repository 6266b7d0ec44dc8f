import { SEPARATOR } from "../broker/keys.ts";
import { asObject } from "../pidbox/envelope.ts";
import { isMasked, positive, readSettings } from "./settings.ts";

/**
 * A worker's `broker_transport_options`, as far as they concern names and times (kombu/transport/redis.py `Channel`).
 */
export interface TransportOptions {
  /** In seconds. After this time kombu delivers unacknowledged messages again. */
  readonly visibilityS: number;
  /** Whether the visibility timeout is the default. */
  readonly isDefault: boolean;
  /**
   * Keys of the hash and the sorted set of unacknowledged deliveries, without the prefix. Null: Celery masks the name.
   */
  readonly unackedKey: string | null;
  readonly unackedIndexKey: string | null;
  /** The text between a queue's name and a priority, and between the parts of a binding. */
  readonly separator: string;
  /** The priorities that have a list. The list for 0 has the queue's own name. */
  readonly prioritySteps: readonly number[];
}

export const DEFAULT_TRANSPORT: TransportOptions = {
  visibilityS: 3_600,
  isDefault: true,
  unackedKey: "unacked",
  unackedIndexKey: "unacked_index",
  separator: SEPARATOR,
  prioritySteps: [0, 3, 6, 9],
};

/** Lists per queue that are read. Real applications have ten. */
const MOST_STEPS = 32;

/**
 * Reads a worker's answers to `conf` and `stats`. Undefined: it did not answer. `stats` also has the names of keys,
 * which Celery masks in `conf`. But its answer fails if an option is not JSON, so a health check asks only for `conf`.
 *
 * @returns null if neither answer tells them
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

/** The options of all workers that answered either question. */
export function transportsTold(
  conf: ReadonlyMap<string, unknown>,
  stats: ReadonlyMap<string, unknown> = new Map(),
): readonly TransportOptions[] {
  const nodes = new Set([...conf.keys(), ...stats.keys()]);
  return [...nodes].flatMap((node) => transportOptions(conf.get(node), stats.get(node)) ?? []);
}

/**
 * The options with the shortest visibility timeout. Any worker delivers overdue messages again, so the shortest one
 * decides.
 */
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
