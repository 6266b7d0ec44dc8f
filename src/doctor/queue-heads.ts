import { queueKeys } from "../celery/queues.ts";
import { taskOfMessage } from "./judge-tasks.ts";
import { type Send, unanswered } from "./scan.ts";
import type { Scene } from "./scene.ts";
import { LARGEST } from "./unacked.ts";

/** Nodes of a list whose memory is counted (MEMORY USAGE … SAMPLES). */
const SAMPLES = 50;

/** What the queues give out next. */
export interface Heads {
  readonly seen: readonly { readonly queue: string; readonly task: string }[];
  /** Messages that are too large, or that cannot be read. */
  readonly unread: number;
}

/** The message that is fetched next from each list of each queue; or why it is not seen. */
export async function headsOf(
  { check, deadline }: Scene,
  send: Send,
  names: readonly string[],
): Promise<Heads | string> {
  const { naming } = check.plan;
  const keys = names.flatMap((queue) => queueKeys(queue, naming.prefix).map((key) => ({ queue, key })));
  const lengths = await send(keys.map(({ key }) => ["LLEN", key]));
  if (!lengths.ok) return unanswered(deadline);
  const filled = keys.flatMap((one, position) => {
    const reply = lengths.value[position];
    const length = reply?.ok === true ? Number(reply.value) : 0;
    return length > 0 ? [{ ...one, length }] : [];
  });
  if (filled.length === 0) return { seen: [], unread: 0 };
  // No command tells the size of one element: what the list takes tells it on average, and of a short one at most.
  const sizes = await send(filled.map(({ key }) => ["MEMORY", "USAGE", key, "SAMPLES", SAMPLES]));
  if (!sizes.ok) return unanswered(deadline);
  if (sizes.value.every((reply) => !reply.ok)) {
    return "MEMORY USAGE is refused, so that a message's size cannot be known before it is read";
  }
  const small = filled.filter(({ length }, position) => {
    const reply = sizes.value[position];
    return reply?.ok === true && Number(reply.value) / length <= LARGEST;
  });
  const elements = small.length === 0 ? null : await send(small.map(({ key }) => ["LINDEX", key, -1]));
  if (elements !== null && !elements.ok) return unanswered(deadline);
  const seen: { readonly queue: string; readonly task: string }[] = [];
  let unread = filled.length - small.length;
  for (const [position, { queue }] of small.entries()) {
    const reply = elements?.value[position];
    // Fetched meanwhile.
    if (reply?.ok === true && reply.value === null) continue;
    const task = reply?.ok === true && typeof reply.value === "string" ? taskOfMessage(reply.value) : null;
    if (task === null) unread++;
    else seen.push({ queue, task: task.name });
  }
  const distinct = new Map(seen.map((one) => [`${one.queue}\0${one.task}`, one]));
  return { seen: [...distinct.values()], unread };
}
