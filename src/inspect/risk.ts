import { poolNameIn } from "../celery/pool.ts";
import { describesSafely, type Software } from "../celery/versions.ts";
import type { Content } from "./methods.ts";

/** Why a method is not sent to a node. */
export type Danger =
  /** An answer that cannot be serialised costs this kombu its remote control, and then the worker does no more work. */
  | { readonly kind: "kombu"; readonly software: Software }
  /** Such an answer disables an eventlet worker on any kombu. */
  | { readonly kind: "eventlet"; readonly software: Software };

/**
 * Whether a worker with this kombu recovers from an answer that it cannot serialise. Versions up to 5.2.2 and from
 * 5.7.0 on do. In versions between, `_on_disconnect` of the Redis transport removes the worker's poll callback together
 * with the control connection. Measured with a prefetched task whose argument is a complex number: 5.4.2 and 5.5.4 go
 * silent, 5.7.0 answers again.
 */
export function recovers(kombu: string): boolean {
  const [major = 0, minor = 0, patch = 0] = kombu.split(".").map((part) => Number.parseInt(part, 10));
  // Later major versions were not measured, so they are not called safe.
  if (major !== 5) return major < 5;
  return minor >= 7 || minor < 2 || (minor === 2 && patch <= 2);
}

/**
 * Whether the pool is eventlet or made from it, by an answer to `stats`. Even with kombu 5.7.0 such a worker stops
 * answering after an answer that it cannot serialise.
 */
export function isEventlet(stats: unknown): boolean {
  return poolNameIn(stats)?.includes("eventlet") ?? false;
}

/** The danger of sending a method to a node. Null: its versions show none. */
export function dangerOf(content: Content, software: Software): Danger | null {
  if (content === "harmless" || recovers(software.kombu)) return null;
  if (content === "described" && describesSafely(software.celery)) return null;
  return { kind: "kombu", software };
}
