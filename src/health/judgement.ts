import type { Naming } from "../broker/keys.ts";
import type { QueueLimit } from "../cli/values.ts";
import type { Asking } from "./evidence.ts";
import type { Asked } from "./asked.ts";
import type { Deafness, Gap, Silence, Verdict, Want } from "./verdict.ts";

/** What the judge needs from the configuration. */
export interface Rules {
  /** The settings of the probe that names are built from. */
  readonly naming: Naming;
  readonly startGraceMs: number;
  readonly asked: Asked;
  /** Whether a silence counts as unhealthy at once. */
  readonly strict: boolean;
  readonly work: WorkRules;
}

/** What the user requires beyond a live worker. */
export interface WorkRules {
  /** The queues that must be consumed. Empty: the worker's own queues. */
  readonly queues: readonly string[];
  readonly requireConsuming: boolean;
  /** In milliseconds; null: tasks are not checked. */
  readonly maxTaskAge: number | null;
  readonly maxQueueLength: readonly QueueLimit[];
}

/** A verdict, or what is still needed for one. */
export type Judgement = Verdict | Open;

export interface Open {
  readonly status: "open";
  readonly wanted: Want;
}

export type AskedBroker = Extract<Asking, { kind: "asked" }>;

export function open(wanted: Want): Open {
  return { status: "open", wanted };
}

export function undecided(gap: Gap): Verdict {
  return { status: "unknown", reason: "undecided", gap };
}

/**
 * The verdict on a silent main loop. Within the time that it may be silent, it is busy or stopping. After that it is
 * hung.
 */
export function silent(
  about: { readonly node: string; readonly pid: number },
  length: Silence,
  isStopping = false,
): Extract<Verdict, { reason: "busy" | "stopping" | "hung" }> {
  if (length.forS * 1_000 >= length.graceMs)
    return { status: "unhealthy", reason: "hung", ...about, ...length, isStopping };
  return { status: "healthy", reason: isStopping ? "stopping" : "busy", ...about, ...length };
}

export function deaf(about: { readonly node: string; readonly pid: number | null }, how: Deafness): Verdict {
  return { status: "healthy", reason: "deaf", ...about, ...how };
}

/** The time between the first and the last of them, in milliseconds. */
export function spanMs(looks: readonly { readonly atMs: number }[]): number {
  return (looks.at(-1)?.atMs ?? 0) - (looks[0]?.atMs ?? 0);
}

/** Whether the user requires more than a live worker. */
export function wantsWork({ requireConsuming, maxTaskAge, maxQueueLength }: WorkRules): boolean {
  return requireConsuming || maxTaskAge !== null || maxQueueLength.length > 0;
}
