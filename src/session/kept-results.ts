import type { BrokerFailure } from "../broker/failure.ts";
import type { Reply } from "../broker/channel.ts";
import { BEGINNING, readFailure, RESULT_KEYS, statusOf } from "../celery/results.ts";
import type { Host } from "../host.ts";
import { asNumber } from "../numbers.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { scan, type Send } from "./scan.ts";

/**
 * Keys that one SCAN looks at (docs/doctor.md has the cost), and results that are read at most. SCAN returns keys in no
 * order.
 */
const SLICE = 200;
const MOST = 20_000;

/** Failures that are read, their largest size in bytes, and the number of names that are shown. */
const LOOKED_INTO = 100;
const LARGEST = 60_000;
const TOLD = 3;

export type Frequent = readonly [name: string, count: number];

export interface KeptResults {
  /** Results that were read, how many of them are not JSON, and how many are failures. */
  readonly results: number;
  readonly unread: number;
  readonly failed: number;
  /** How many keys were looked at, and about how many there are. Null: all keys were looked at. */
  readonly sample: Readonly<{ passed: number; keys: number }> | null;
  /** About the failures that were read: the most frequent exceptions and tasks, and the age of the newest. */
  readonly exceptions: readonly Frequent[];
  readonly tasks: readonly Frequent[];
  readonly newestS: number | null;
}

/**
 * Reads the results that a server keeps.
 *
 * @param hasPrefix whether the result keys have a prefix. Celery masks it, so it is not known
 * @returns the server's error message if it refuses SCAN
 */
export async function keptResults(
  send: Send,
  { now, epochSeconds }: Pick<Host, "now" | "epochSeconds">,
  { hasPrefix, forMs }: { readonly hasPrefix: boolean; readonly forMs: number },
): Promise<Outcome<KeptResults | string, BrokerFailure>> {
  const size = await send([["DBSIZE"]]);
  if (!size.ok) return size;
  const end = now() + forMs;
  // By key, because SCAN may return a key twice. Null: the result is not JSON.
  const statuses = new Map<string, string | null>();
  const scanned = await scan(
    send,
    { pattern: hasPrefix ? `*${RESULT_KEYS}` : RESULT_KEYS, slice: SLICE },
    // Reads only the beginning: a result may have any size, and copying it would block the server.
    (keys) => keys.map((key) => beginningOf(key, BEGINNING)),
    (keys, replies) => {
      // A result that expired in the meantime has no text.
      const all = keys.map((key, position) => [key, textOf(replies[position])] as const);
      for (const [key, text] of all) if (text !== "") statuses.set(key, statusOf(text));
    },
    () => now() < end && statuses.size < MOST,
  );
  if (scanned.failure !== null) return failure(scanned.failure);
  if (scanned.refusal !== null) return success(scanned.refusal);
  const having = (wanted: string | null) =>
    [...statuses].flatMap(([key, status]) => (status === wanted ? [key] : []));
  const failed = having("FAILURE");
  const looked = failed.slice(0, LOOKED_INTO).map((key) => beginningOf(key, LARGEST));
  const texts = looked.length === 0 ? null : await send(looked);
  const failures = (texts?.ok ? texts.value : []).flatMap((reply) => readFailure(textOf(reply)) ?? []);
  const newest = Math.max(...failures.map(({ doneS }) => doneS ?? -Infinity));
  const [keys] = size.value;
  const total = keys?.ok === true ? asNumber(keys.value) : 0;
  return success({
    ...{ results: statuses.size, unread: having(null).length, failed: failed.length },
    sample: scanned.isWhole ? null : { passed: Math.min(scanned.passed, total), keys: total },
    exceptions: frequent(failures.map(({ exception }) => exception)),
    tasks: frequent(failures.map(({ task }) => task)),
    newestS: Number.isFinite(newest) ? Math.max(0, epochSeconds() - newest) : null,
  });
}

const beginningOf = (key: string, bytes: number) => ["GETRANGE", key, 0, bytes - 1] as const;

/** Empty: the result is gone, or it was not read. */
function textOf(reply: Reply | undefined): string {
  return reply?.ok === true && typeof reply.value === "string" ? reply.value : "";
}

/** The most frequent names, and how often each occurs. */
function frequent(names: readonly (string | null)[]): readonly Frequent[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, TOLD);
}
