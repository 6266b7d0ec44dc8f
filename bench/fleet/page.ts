import { computed } from "./page-computed.ts";
import { goals, whatToDo } from "./page-advice.ts";
import { median, quantile } from "./numbers.ts";
import { AIM, byCost, costsWith, first, redisLine, type Results } from "./results.ts";
import { byteRate, cpuTime, digits, percent, span, table, whole } from "./words.ts";

/** `docs/fleet.md`. Every number on it comes from one run. */
export function fleetPage(results: Results): string {
  return (
    [
      head(results),
      goals(results),
      whatToDo(results),
      "## Measured: what a ping costs a worker",
      workerPart(results),
      "## Measured: what a ping costs Redis",
      redisPart(results),
      "## Measured: one probe, by the size of the fleet",
      probePart(results),
      "## Measured: the executable at a fleet's rate",
      wholePart(results),
      "## Computed: fleets by size and interval",
      computed(results),
    ].join("\n\n") + "\n"
  );
}

function head({ machine }: Results): string {
  const { processor, cores, kernel, server, node, probe, load, date } = machine;
  return `# What the probes of a fleet cost

A ping is published once and delivered to every worker that listens on the control channel; those that it is not for
read it and drop it. N workers, each probed every T seconds, thus hear N/T pings a second each, and Redis delivers N²/T.

\`npm run bench:fleet\` measures this with real workers, a real Redis and the packaged executable, and writes this page.
Each number is marked as **measured** or **computed** from measured ones. CPU is user and system time by
\`/proc/<pid>/task/*/schedstat\`, less what the same processes use in the same time without pings; a share is a share of
one core. Everything runs on one machine over loopback, where Redis' writes do the receiving side's work in the kernel
as well: over a network a delivery costs Redis less.

Run on ${date}: ${processor}, ${cores} cores, Linux ${kernel}, load average ${load.map((one) => one.toFixed(2)).join(" ")} before
it; ${server}, ${node}, ${probe}.`;
}

function workerPart(results: Results): string {
  const rows = results.workers.map(({ name, idle, wake, ping, answer, heartbeat }) => [
    name,
    ...[ping, wake, answer, heartbeat].map(
      (rounds) =>
        `${cpuTime(median(rounds))} (${cpuTime(Math.min(...rounds))}–${cpuTime(Math.max(...rounds))})`,
    ),
    percent(median(idle)),
  ]);
  const saved = results.workers.map(({ wake, ping }) => 1 - median(wake) / median(ping));
  return `CPU of the main process for one message, at ${digits(AIM.workers / AIM.interval)} a second, as 1,000 workers make them at 30 s: median of
${first(results.workers).ping.length} rounds (least–most). Workers with their default settings.

${table(["Celery", "ping to another", "empty message", "ping to it, answered", "another's heartbeat", "idle, share of a core"], rows)}

An empty message is read from the socket and dropped before anything is decoded. So ${span(percent(Math.min(...saved)), percent(Math.max(...saved)))} of a ping is
decoding and comparing; the rest is waking and reading, which no smaller message could save.`;
}

function redisPart(results: Results): string {
  const { fixed, each, worst } = redisLine(results);
  const rows = results.redis.map(({ listeners, rate, pings, cpu, bytes }) => [
    whole(listeners),
    `${whole(pings)} at ${digits(rate)}/s`,
    cpuTime(cpu),
    cpuTime(cpu / listeners),
    whole(bytes),
  ]);
  return `CPU of the server for one ping (MULTI, reply list, PUBLISH, and the deliveries) over a connection that stays open, to
scripted subscribers that read and do nothing.

${table(["subscribers", "pings", "CPU a ping", "CPU a delivery", "bytes sent a ping"], rows)}

Fitted: ${cpuTime(fixed)} and ${cpuTime(each)} for each subscriber; the farthest point is ${percent(worst)} off.`;
}

function probePart(results: Results): string {
  const rows = results.probes.map(({ listeners, ms, cpu, redis, answerMs }) => [
    whole(listeners),
    `${digits(median(ms))} ms`,
    `${digits(quantile(ms, 0.95))} ms`,
    `${digits(cpu * 1000)} ms`,
    cpuTime(median(redis)),
    `${digits(median(answerMs))} ms`,
  ]);
  const sorted = results.probes.toSorted((a, b) => a.listeners - b.listeners);
  const [small, large] = [first(sorted), first(sorted.toReversed())];
  const growth = median(large.ms) - median(small.ms);
  const cpu = large.cpu - small.cpu;
  return `The executable, ${small.ms.length} runs in each fleet, in turns; one real worker (5.7.0, prefork) amid scripted subscribers.
It is told the worker's pid file, so that it sees one worker, as in a container, and not all of this machine.

${table(["N", "median", "95th percentile", "CPU of the probe", "CPU of Redis", "PUBLISH to answer"], rows)}

From ${whole(small.listeners)} to ${whole(large.listeners)} subscribers a probe takes ${digits(growth)} ms longer; its own CPU time changes by ${digits(cpu * 1000)} ms. What
grows is the time that Redis takes to deliver, before which the worker that was asked does not hear it. PUBLISH to answer
is the time between the two commands in MONITOR, without a probe; all subscribers share the processors of one machine
here.`;
}

function wholePart(results: Results): string {
  const {
    workers,
    listeners,
    rate,
    probes,
    failures,
    ms,
    redisShare,
    workerShares,
    bytesPerSecond,
    broadcast,
  } = results.whole;
  const size = workers + listeners;
  const full = AIM.workers / AIM.interval;
  const scaled = (value: string) => (full / rate < 1.05 ? [] : [value]);
  const costs = costsWith(first(byCost(results)), results);
  const expected = rate * (costs.probe + size * costs.delivery);
  const middle = median(workerShares);
  const rows = [
    ["CPU of Redis", percent(redisShare), ...scaled(percent((redisShare / rate) * full))],
    ["CPU of a real worker, median", percent(middle), ...scaled(percent((middle / rate) * full))],
    [
      "CPU of a real worker, most",
      percent(Math.max(...workerShares)),
      ...scaled(percent((Math.max(...workerShares) / rate) * full)),
    ],
    ["sent by Redis", byteRate(bytesPerSecond), ...scaled(byteRate((bytesPerSecond / rate) * full))],
    ["one probe, median", `${digits(median(ms))} ms`, ...scaled("")],
    ["one probe, 95th percentile", `${digits(quantile(ms, 0.95))} ms`, ...scaled("")],
  ];
  return `${workers} real workers (5.7.0, prefork) and ${whole(listeners)} scripted subscribers, N = ${whole(size)}; the real workers probed in turn by
${whole(probes)} runs of the executable. **${failures.length === 0 ? "All answered." : `${failures.length} did not say alive.`}**

${table(["", `measured at ${digits(rate)} probes a second`, ...scaled(`extrapolated in proportion to ${digits(full)} a second`)], rows)}

The measurements above predict ${percent(expected)} for Redis at this rate.

One \`--min-nodes ${workers}\` in the same fleet, which all real workers answer: ${cpuTime(broadcast.redis)} of Redis, ${cpuTime(broadcast.worker)} of
each worker, ${digits(median(broadcast.ms))} ms by the clock; ${cpuTime(costs.answer)} of Redis for each further answer.`;
}
