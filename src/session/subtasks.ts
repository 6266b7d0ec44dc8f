import { type Subtask, subtaskOf } from "../celery/deliveries.ts";
import { queueKeys } from "../celery/queues.ts";
import { resultKey } from "../celery/results.ts";
import type { QueueKeys } from "./queue-lengths.ts";
import type { Send } from "./scan.ts";
import { sizedLists } from "./sized-lists.ts";
import { LARGEST, pairsOf } from "./unacked.ts";

/** Messages read at each end of a list: subtasks come behind what waited before, and before what has come since. */
const MOST = 250;

/** Results asked after at once. */
const MOST_RESULTS = 1_000;

/** The tasks at both ends of a queue's lists that other tasks have sent; none where they may not be read. */
export async function subtasksIn(
  send: Send,
  queue: string,
  { prefix, lists }: QueueKeys,
): Promise<readonly Subtask[]> {
  const keys = queueKeys(queue, prefix, lists).map((key) => ({ key }));
  const sized = await sizedLists(send, keys);
  if (typeof sized === "string") return [];
  const { filled } = sized;
  const ranges = filled.flatMap(({ key, length, averageBytes }) => {
    const count = Math.min(MOST, Math.floor(LARGEST / filled.length / 2 / (averageBytes ?? Infinity)));
    if (count === 0) return [];
    if (length <= count * 2) return [["LRANGE", key, 0, length - 1] as const];
    return [["LRANGE", key, 0, count - 1] as const, ["LRANGE", key, -count, -1] as const];
  });
  const sent = ranges.length === 0 ? null : await send(ranges);
  const texts = (sent?.ok === true ? sent.value : []).flatMap((reply) =>
    reply.ok && Array.isArray(reply.value) ? (reply.value as readonly unknown[]) : [],
  );
  return texts.flatMap((text) => (typeof text === "string" ? (subtaskOf(text) ?? []) : []));
}

/** The subtasks for whose results somebody waits, on the server that keeps the results. */
export async function awaited(send: Send, subtasks: readonly Subtask[]): Promise<readonly Subtask[]> {
  const ids = [...new Set(subtasks.flatMap(({ results }) => results))].slice(0, MOST_RESULTS);
  const sent = ids.length === 0 ? null : await send([["PUBSUB", "NUMSUB", ...ids.map(resultKey)]]);
  const [reply] = sent?.ok === true ? sent.value : [];
  const counts = new Map(reply?.ok === true ? pairsOf(reply.value) : []);
  return subtasks.filter(({ results }) => results.some((id) => (counts.get(resultKey(id)) ?? 0) > 0));
}
