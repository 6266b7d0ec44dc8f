import type { BrokerFailure } from "../broker/failure.ts";
import type { Reply } from "../broker/channel.ts";
import { BEGINNING, readFailure, RESULT_KEYS, statusOf } from "../celery/results.ts";
import type { Host } from "../host.ts";
import { asNumber } from "../numbers.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { scan, type Send } from "./scan.ts";

/** Keys looked at by one SCAN, and results by one write (docs/doctor.md has what that costs); SCAN gives keys in no order. */
const SLICE = 200;
const MOST = 20_000;

/** Failures that are looked into, of so many bytes at most; names of exceptions and tasks that are told. */
const LOOKED_INTO = 100;
const LARGEST = 60_000;
const TOLD = 3;

export type Frequent = readonly [name: string, count: number];

/** The results that a server keeps. */
export interface KeptResults {
  /** Results read, how many of them are not JSON, and how many are failures. */
  readonly results: number;
  readonly unread: number;
  readonly failed: number;
  /** Keys passed by, of about so many; null: all of them. */
  readonly sample: Readonly<{ passed: number; keys: number }> | null;
  /** Of the failures looked into: the most frequent exceptions and tasks, and how long ago the newest was. */
  readonly exceptions: readonly Frequent[];
  readonly tasks: readonly Frequent[];
  readonly newestS: number | null;
}

/**
 * Reads the results of a server.
 *
 * @param hasPrefix whether their keys begin with a prefix, which nobody knows
 * @returns in its place the server's words, where it permits no SCAN
 */
export async function keptResults(
  send: Send,
  { now, epochSeconds }: Pick<Host, "now" | "epochSeconds">,
  { hasPrefix, forMs }: { readonly hasPrefix: boolean; readonly forMs: number },
): Promise<Outcome<KeptResults | string, BrokerFailure>> {
  const size = await send([["DBSIZE"]]);
  if (!size.ok) return size;
  const end = now() + forMs;
  // By key, as SCAN may give one twice; null: no JSON.
  const statuses = new Map<string, string | null>();
  const scanned = await scan(
    send,
    { pattern: hasPrefix ? `*${RESULT_KEYS}` : RESULT_KEYS, slice: SLICE },
    // The beginning alone: a result may be of any size, and what is copied keeps the server.
    (keys) => keys.map((key) => beginningOf(key, BEGINNING)),
    (keys, replies) => {
      // A result that has expired meanwhile has no text.
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

/** Empty: it is gone, or none. */
function textOf(reply: Reply | undefined): string {
  return reply?.ok === true && typeof reply.value === "string" ? reply.value : "";
}

/** The most frequent names, and how often each is there. */
function frequent(names: readonly (string | null)[]): readonly Frequent[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, TOLD);
}
