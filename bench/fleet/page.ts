import type { Machine } from "../machine.ts";
import { INTERVAL_S, type MonitorCosts } from "./monitors.ts";
import type { PingCosts } from "./ping-costs.ts";

export interface Report {
  readonly machine: Machine;
  readonly pings: readonly PingCosts[];
  readonly monitors: readonly MonitorCosts[];
}

/** The page gives the cost of a probe in each container for fleets of these sizes. */
const SIZES = [30, 100, 300, 1_000, 3_000];

/** docs/fleet.md. */
export function fleetPage({ machine, pings, monitors }: Report): string {
  const largest = pings.reduce((most, one) => (one.size > most.size ? one : most));
  return `# What it costs to watch a fleet

A ping is published once and Redis delivers it to every worker that listens. The workers that it is not for read it and
drop it. A probe in each of N containers, every T seconds, thus makes each worker hear N/T pings a second and Redis
deliver N²/T. One process that watches all of them, [\`celery-probe serve\`](serve.md), makes each worker hear 1/T.

\`npm run bench:serve\` measures this and writes the page: ${largest.size} workers on one Redis, some real and the others
scripted, all with heartbeats every two seconds. The real ones run with \`--without-gossip\`. CPU time comes from
\`/proc/PID/task/*/schedstat\`, less what the same processes use unwatched. A share is a share of one core. MB are
10⁶ bytes.

## One process that watches

Measured with one scrape and one round every ${INTERVAL_S} s.

${table(
  ["", "its CPU", "its memory", "Redis", "each worker", "sent by Redis", "one scrape", "size", "a probe"],
  monitors.map((one) => [
    one.name,
    percent(one.own),
    `${digits(one.resident / 1e6)} MB`,
    percent(one.redis),
    percent(one.worker),
    `${digits(one.bytesPerS / 1e3)} kB/s`,
    `${digits(one.scrapeS * 1e3)} ms`,
    `${digits(one.scrapeBytes / 1e3)} kB`,
    one.answerS === null ? "" : `${digits(one.answerS * 1e3)} ms`,
  ]),
)}

*0 %* is less than what the same processes vary by. *A probe* is the 99th percentile of 1,000 answers while 64 slow clients hang on.
*Flower* is 2.0.1 from PyPI with its defaults: it turns events on and listens to them. *\`stats\` and \`active_queues\`* are
the two questions that celery-exporter asks at each scrape, asked by Celery's own client. The exporter itself is in no
package registry.

## A probe in each container

Measured: what one ping costs.

${table(
  [
    "workers",
    ...largest.workers.flatMap(({ version }) => [`${version} hears it`, `${version} answers it`]),
    "Redis",
    "sent by Redis",
    "one run of the probe",
  ],
  pings.map(({ size, workers, redis, bytes, probeS }) => [
    digits(size),
    ...workers.flatMap(({ heard, answered }) => [micro(heard), micro(answered)]),
    micro(redis),
    `${digits(bytes / 1e3)} kB`,
    `${digits(probeS * 1e3)} ms`,
  ]),
)}

Computed from that: the share of a core that every worker, and Redis, spend on probes every 30 s. At 60 s it is half.

${table(
  ["workers", "each worker", "Redis"],
  SIZES.map((size) => [
    digits(size),
    percent(workerShare(largest, size, 30)),
    percent(redisShare(pings, size, 30)),
  ]),
)}

## What to do

* **Up to ${workersAt(largest, 0.001, 30)} workers** on one Redis database, probed every 30 s: nothing. Each worker spends at most 0.1 % of a core.
* **More:** run one \`serve --share\` and give the checks \`--accept-shared\`, or let Kubernetes ask a \`serve\` beside each
  worker by \`httpGet\`. Both ways each worker hears one ping an interval.
* **Turn gossip off** (\`celery worker --without-gossip\`). With it each worker reads the heartbeats of all others: N/2 messages a
  second, 15 times as many as probes every 30 s make.
* **Ask less often.** \`interval: 60s\` halves everything.
* **Split the channel.** Only workers that share a database, \`global_keyprefix\` and \`control_exchange\` hear each other's pings.

## The machine

${table(
  ["", ""],
  machine.map((row) => [...row]),
)}
`;
}

/** What each worker spends if all are asked one by one. The most expensive version counts. */
export function workerShare({ workers }: PingCosts, size: number, intervalS: number): number {
  return Math.max(...workers.map(({ heard, answered }) => ((size - 1) * heard + answered) / intervalS));
}

/** The largest fleet in which no worker spends more than `share`. */
export function workersAt(costs: PingCosts, share: number, intervalS: number): number {
  const sizes = costs.workers.map(({ heard, answered }) =>
    Math.floor((share * intervalS - answered) / heard + 1),
  );
  return Math.max(0, Math.min(...sizes));
}

/** Uses the line through two measured fleets: a ping has a fixed cost, and a cost for each worker. */
export function redisShare(pings: readonly PingCosts[], size: number, intervalS: number): number {
  const [small, large] = [...pings]
    .sort((a, b) => a.size - b.size)
    .filter((_, at, all) => at === 0 || at === all.length - 1);
  if (small === undefined || large === undefined) throw new RangeError("a line needs two sizes");
  const each = (large.redis - small.redis) / (large.size - small.size);
  return (size / intervalS) * (small.redis + (size - small.size) * each);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(head),
    `|${head.map((_, at) => (at === 0 ? "---|" : "---:|")).join("")}`,
    ...rows.map(line),
  ].join("\n");
}

function percent(share: number): string {
  if (share <= 0) return "0 %";
  return `${digits(share * 100)} %`;
}

function micro(seconds: number): string {
  return `${digits(seconds * 1e6)} µs`;
}

/** Two significant digits, or all digits of a larger whole number. */
export function digits(value: number): string {
  if (Math.abs(value) >= 10) return Math.round(value).toLocaleString("en-US");
  return value === 0
    ? "0"
    : value.toFixed(Math.max(0, Math.min(4, 1 - Math.floor(Math.log10(Math.abs(value))))));
}
