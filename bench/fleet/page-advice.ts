import { everyoneAlone, loadOf, type Regime } from "./compute.ts";
import { median } from "./numbers.ts";
import { limitsTable } from "./page-computed.ts";
import { AIM, byCost, costsWith, first, GOALS, limits, type Results } from "./results.ts";
import { byteRate, cpuTime, digits, percent, span, table, whole } from "./words.ts";

/** Whether the goals are met, and up to which size they are. */
export function goals(results: Results): string {
  const kinds = byCost(results);
  const loads = kinds.map((kind) => loadOf(costsWith(kind, results), AIM));
  const workers = loads.map(({ workerShare }) => workerShare);
  const [least, most] = [Math.min(...workers), Math.max(...workers)];
  const redis = first(loads).redisShare;
  const sorted = results.probes.toSorted((a, b) => a.listeners - b.listeners);
  const small = first(sorted);
  const large = sorted.find(({ listeners }) => listeners === AIM.workers) ?? first(sorted.toReversed());
  const longer = median(large.ms) / median(small.ms) - 1;
  const rows = [
    [
      `a worker: ≤ ${percent(GOALS.worker)} of a core`,
      span(percent(least), percent(most)),
      met(most, GOALS.worker),
      "computed",
    ],
    [`Redis: ≤ ${percent(GOALS.redis)} of a core`, percent(redis), met(redis, GOALS.redis), "computed"],
    [
      `one probe: at most ${percent(GOALS.longer)} longer than at N = ${whole(small.listeners)}`,
      `${digits(median(large.ms))} ms, not ${digits(median(small.ms))} ms: ${percent(longer)}`,
      met(longer, GOALS.longer),
      "measured",
    ],
  ];
  const idle = results.workers.map((worker) => median(worker.idle));
  return `## The goals, at N = ${whole(AIM.workers)} and T = ${AIM.interval} s

${table(["goal", `N = ${whole(AIM.workers)}`, "", ""], rows)}

A worker that nobody probes uses ${span(percent(Math.min(...idle)), percent(Math.max(...idle)))} by itself (measured, idle, three others on its Redis). A goal is met up to
these sizes (computed):

${limitsTable(results)}`;
}

/** In the words of who runs a fleet. */
export function whatToDo(results: Results): string {
  const cheap = costsWith(first(byCost(results)), results);
  const dear = costsWith(first(byCost(results).toReversed()), results);
  const { worker, redis } = limits(results, AIM.interval);
  const small = Math.floor(Math.min(worker[0], redis));
  const { workers, interval } = AIM;
  const regimes: readonly (readonly [string, Regime])[] = [
    [`every ${interval} s, as above`, AIM],
    ["every 60 s", everyoneAlone(workers, 60)],
    ["every 120 s", everyoneAlone(workers, 120)],
    ["channels of 100 workers each", { workers, interval, group: 100, together: 1 }],
    [`channels of ${small} workers each`, { workers, interval, group: small, together: 1 }],
    ["10 workers asked in one message", { workers, interval, group: workers, together: 10 }],
    ["both: channels of 100, 10 in a message", { workers, interval, group: 100, together: 10 }],
    ["one `--min-nodes` for all", { workers, interval, group: workers, together: workers }],
  ];
  const rows = regimes.map(([what, regime]) => {
    const [low, high] = [loadOf(cheap, regime), loadOf(dear, regime)];
    return [
      what,
      digits(low.heardPerSecond),
      span(percent(low.workerShare), percent(high.workerShare)),
      percent(low.redisShare),
      byteRate(low.bytesPerSecond),
    ];
  });
  const beat = first(byCost(results));
  return `## What to do

**Up to ${small} workers** on one Redis database, every ${interval} s: nothing. Both goals are met.

**Turn gossip off** in a larger fleet (\`--without-gossip\` for the workers) before anything else. With gossip, Celery's
default, each worker hears every other's heartbeat every two seconds: N/2 messages a second, ${interval / 2} times as many as pings,
and each costs it ${cpuTime(median(beat.heartbeat))} where a ping costs ${cpuTime(median(beat.ping))}. A fleet that bears its own gossip does not feel the probes.
Leave the heartbeats themselves on: they are evidence for the probe, and cost little where nobody listens.

**Then, by what they give** (computed, N = ${whole(workers)}, T = ${interval} s unless said otherwise):

${table(["", "pings heard a second", "CPU of a worker", "CPU of Redis", "bytes sent"], rows)}

* **Ask less often.** Everything falls in proportion. \`interval: 60s\` (compose), \`periodSeconds: 60\` (Kubernetes): a
  worker found dead a minute later is found soon enough for most fleets.
* **Smaller channels.** A ping is heard by those who share the channel, and its name holds the database and the
  \`global_keyprefix\`: give parts of the fleet with queues of their own a database (\`redis://…/3\`) or, from kombu 5.2.4
  on, a prefix (\`--global-keyprefix\`) of their own. Celery's setting \`control_exchange\` splits the channel and leaves
  the queues together; the probe is told by \`--control-exchange\`.
* **One message for several workers.** Workers that share a container or a machine can be asked by one probe, which sends one
  message for all of them: without \`--node\` all workers in sight, else \`--node a@x --node b@x\`. The worst verdict counts.
* **One asker.** A monitor with \`--min-nodes N\` asks everybody in one message. It says how many answer, not who is
  missing, and restarts nobody; where two of them ask at once, at most 4,096 answers fit.

A smaller message would hardly help: see what an empty one costs, below.`;
}

function met(value: number, goal: number): string {
  return value <= goal ? "met" : "**not met**";
}
