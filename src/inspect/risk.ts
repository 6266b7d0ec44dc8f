import { poolNameIn } from "../celery/pool.ts";
import { describesSafely, type Software } from "../celery/versions.ts";
import type { Content } from "./methods.ts";

/** Why a method is not sent to a node. */
export type Danger =
  /** This kombu loses its remote control, and with it all work, over an answer that cannot be serialised. */
  | { readonly kind: "kombu"; readonly software: Software }
  /** eventlet does not survive it on any kombu. */
  | { readonly kind: "eventlet"; readonly software: Software };

/**
 * Whether a worker recovers from an answer that it cannot serialise, by its kombu: up to 5.2.2 and from 5.7.0 on. In
 * between, `_on_disconnect` of its Redis transport takes the worker's poll callback away with the control connection.
 * Measured with a prefetched task whose argument is a complex number: 5.4.2 and 5.5.4 go silent, 5.7.0 answers again.
 */
export function recovers(kombu: string): boolean {
  const [major = 0, minor = 0, patch = 0] = kombu.split(".").map((part) => Number.parseInt(part, 10));
  // A major version that nobody has measured is not called safe.
  if (major !== 5) return major < 5;
  return minor >= 7 || minor < 2 || (minor === 2 && patch <= 2);
}

/**
 * Whether the pool is eventlet's, or one made of it, which goes deaf over such an answer even with kombu 5.7.0; by
 * `stats`.
 */
export function isEventlet(stats: unknown): boolean {
  return poolNameIn(stats)?.includes("eventlet") ?? false;
}

/** Whether a method may go to a node without being told so twice; null: it may, as far as its versions tell. */
export function dangerOf(content: Content, software: Software): Danger | null {
  if (content === "harmless" || recovers(software.kombu)) return null;
  if (content === "described" && describesSafely(software.celery)) return null;
  return { kind: "kombu", software };
}
