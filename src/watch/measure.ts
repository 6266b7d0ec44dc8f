import type { BrokerFailure } from "../broker/failure.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { Session } from "../session/session.ts";
import { detailsOf } from "../worker/in-sight.ts";
import { askLengths } from "../celery/queues.ts";
import { workerNode, type WorkerProcess } from "../worker/survey.ts";
import { residentBytes } from "../worker/usage.ts";
import type { QueueRow } from "./view.ts";

/** How many lengths of a queue are kept. */
const TREND = 40;

/**
 * Measures queues, and remembers how long they were before.
 *
 * @param names each queue once
 * @param consumed a queue for each worker that consumes it
 */
type QueueMeter = (
  session: Session,
  names: readonly string[],
  consumed: readonly string[],
) => Promise<Outcome<readonly QueueRow[], BrokerFailure>>;

/** @param prefix kombu's `global_keyprefix` */
export function queueMeter(prefix: string): QueueMeter {
  const trends = new Map<string, number[]>();
  return async (session, names, consumed) => {
    const question = askLengths(names, prefix);
    const sent = await session.send([["PING"], ...question.commands]);
    if (!sent.ok) return sent;
    const lengths = question.read(sent.value.slice(1));
    const rows = names.map((queue) => {
      const length = lengths.get(queue)?.messages ?? null;
      const trend = [...(trends.get(queue) ?? []), length ?? 0].slice(-TREND);
      trends.set(queue, trend);
      return { queue, length, trend, consumers: consumed.filter((one) => one === queue).length };
    });
    return success(rows);
  };
}

/** What workers in sight have in memory with their children, in bytes, by node; what cannot be read is missing. */
export function memoryOf(
  workers: readonly WorkerProcess[],
  { proc, hostname, env }: Host,
): ReadonlyMap<string, number> {
  return new Map(
    workers.flatMap((worker) => {
      const pids = [worker.pid, ...detailsOf(proc, worker.pid).children];
      const sizes = pids.map((pid) => residentBytes(proc, pid) ?? 0);
      const sum = sizes.reduce((all, one) => all + one, 0);
      return sum === 0 ? [] : [[workerNode(worker, hostname, env), sum] as const];
    }),
  );
}
