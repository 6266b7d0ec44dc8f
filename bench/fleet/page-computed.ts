import { everyoneAlone, loadOf } from "./compute.ts";
import { median } from "./numbers.ts";
import { byCost, costsWith, first, GOALS, limits, type Results } from "./results.ts";
import { byteRate, percent, span, table, whole } from "./words.ts";

const SIZES = [100, 300, 1000, 3000] as const;
const INTERVALS = [10, 30, 60, 120] as const;

/** Heartbeats a second of each worker (Celery's `--heartbeat-interval`: every two seconds). */
const HEARTBEATS = 0.5;

export function computed(results: Results): string {
  const kinds = byCost(results);
  const [cheap, dear] = [first(kinds), first(kinds.toReversed())];
  const rows = SIZES.flatMap((workers) =>
    INTERVALS.map((interval) => {
      const [low, high] = [cheap, dear].map((kind) =>
        loadOf(costsWith(kind, results), everyoneAlone(workers, interval)),
      );
      if (low === undefined || high === undefined) throw new RangeError("two kinds have two loads");
      return [
        whole(workers),
        `${interval} s`,
        mark(span(percent(low.workerShare), percent(high.workerShare)), high.workerShare > GOALS.worker),
        mark(percent(low.redisShare), low.redisShare > GOALS.redis),
        whole(low.deliveriesPerSecond),
        byteRate(low.bytesPerSecond),
      ];
    }),
  );
  const { delivery } = costsWith(cheap, results);
  const gossip = SIZES.map((workers) => [
    whole(workers),
    percent(workers * HEARTBEATS * median(cheap.heartbeat)),
    percent(workers * HEARTBEATS * workers * delivery),
  ]);
  return `Each worker probed on its own, all on one channel: the measured costs times what each hears and Redis delivers. Bold:
over the goal of ${percent(GOALS.worker)} for a worker, ${percent(GOALS.redis)} for Redis. Workers: ${cheap.name} to ${dear.name}.

${table(["N", "T", "CPU of a worker", "CPU of Redis", "deliveries a second", "bytes"], rows)}

More than 100 % is what cannot be done.

For comparison: what Celery's own heartbeats cost the same fleet where gossip is on, as it is by default. Each worker
hears N/2 of them a second, ${INTERVALS.map((interval) => `${interval / 2} times`).join(", ")} as many as pings at T = ${INTERVALS.join(", ")} s.

${table(["N", `CPU of a worker (${cheap.name})`, "CPU of Redis"], gossip)}`;
}

/** The sizes from which a goal is missed, by interval. */
export function limitsTable(results: Results): string {
  const rows = INTERVALS.map((interval) => {
    const { worker, redis } = limits(results, interval);
    const [least, most] = worker.map((size) => whole(Math.floor(size)));
    return [`${interval} s`, span(least ?? "", most ?? ""), whole(Math.floor(redis))];
  });
  const head = [
    "T",
    `workers ≤ ${percent(GOALS.worker)} up to N =`,
    `Redis ≤ ${percent(GOALS.redis)} up to N =`,
  ];
  return table(head, rows);
}

function mark(text: string, isOver: boolean): string {
  return isOver ? `**${text}**` : text;
}
