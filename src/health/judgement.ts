import type { Naming } from "../broker/keys.ts";
import type { QueueLimit } from "../cli/values.ts";
import type { Asking } from "./evidence.ts";
import type { Asked } from "./asked.ts";
import type { Deafness, Gap, Silence, Verdict, Want } from "./verdict.ts";

/** What the judge has to know of the configuration. */
export interface Rules {
  /** What the probe was told that gives names their form. */
  readonly naming: Naming;
  readonly startGraceMs: number;
  readonly asked: Asked;
  /** Whether a silence counts as unhealthy at once. */
  readonly strict: boolean;
  readonly work: WorkRules;
}

/** What is wanted beyond a worker that is alive. */
export interface WorkRules {
  /** The queues that have to be consumed; empty: the worker's own. */
  readonly queues: readonly string[];
  readonly requireConsuming: boolean;
  /** In milliseconds; null: tasks are not looked at. */
  readonly maxTaskAge: number | null;
  readonly maxQueueLength: readonly QueueLimit[];
}

/** A verdict, or what is still wanted for one. */
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

/** A main loop that is silent: busy, or stopping, as long as it may be, then hung. */
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

/** How far apart the first and the last of them are, in milliseconds. */
export function spanMs(looks: readonly { readonly atMs: number }[]): number {
  return (looks.at(-1)?.atMs ?? 0) - (looks[0]?.atMs ?? 0);
}

/** Whether anything is wanted beyond a worker that is alive. */
export function wantsWork({ requireConsuming, maxTaskAge, maxQueueLength }: WorkRules): boolean {
  return requireConsuming || maxTaskAge !== null || maxQueueLength.length > 0;
}
