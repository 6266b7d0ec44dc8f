// The kinds of long runs of `serve`. Each is a case: a restart of the broker, a hundred rounds, and a worker that is
// killed.
import { setTimeout as wait } from "node:timers/promises";
import { startServer } from "../world/server.ts";
import { type Serving, startServing, untilHealthy } from "../world/serving.ts";
import { until } from "../world/until.ts";
import { startWorker } from "../world/worker.ts";
import { startOutages, startRush, type Use } from "./endurance.ts";
import type { Kinds, Result } from "./kind.ts";

/** The longest outage, in milliseconds. The worker itself tries to connect less and less often. */
const LONGEST_OUTAGE_MS = 3_000;

/** Rounds of a case. */
const ROUNDS = 100;

/** Cases until the first workers are forgotten, after ten minutes. From then on memory must be flat. */
const WARM = 65;

/** How much more is allowed at the end, in bytes and in files. */
const MORE_BYTES = 4_000_000;
const MORE_FILES = 8;

/** What `serve` promises for a killed worker with its default interval. */
const NOTICED_MS = 32_000;

export function enduranceKinds(executable: string, stack: AsyncDisposableStack): Kinds {
  const outages = onceMade(() => startOutages(executable), stack);
  const rush = onceMade(() => startRush(executable), stack);
  const uses: Use[] = [];
  return {
    restarts: {
      cases: [100, 2],
      alone: true,
      async run(dice) {
        const { serve, outage } = await outages();
        const ms = dice.below(LONGEST_OUTAGE_MS);
        return resultOf(serve, await outage(ms), { ms });
      },
    },
    rounds: {
      cases: [10_000 / ROUNDS, 1],
      alone: true,
      async run() {
        const { serve, step } = await rush();
        const use = await step(ROUNDS);
        uses.push(use);
        const faults = use.series > use.mostSeries ? [`${use.series} series`] : [];
        return resultOf(serve, faults, use);
      },
      finish: () => Promise.resolve(growth(uses)),
    },
    deaths: {
      // e2e/fleet.test.ts also kills one.
      cases: [12, 0],
      async run(dice, position) {
        const args = position % 2 === 0 ? [] : ["--without-heartbeat"];
        return death(executable, args, dice.below(30_000));
      },
    },
  };
}

/** The first case that needs it makes it. */
function onceMade<T extends AsyncDisposable>(make: () => Promise<T>, stack: AsyncDisposableStack) {
  let made: Promise<T> | undefined;
  return () => (made ??= make().then((one) => stack.use(one)));
}

function resultOf(serve: Serving, faults: readonly string[], evidence: object): Result {
  return {
    faults: serve.isRunning() ? faults : [...faults, "serve has ended"],
    overshootMs: -Infinity,
    peakMb: serve.isRunning() ? serve.resident() / 1e6 : 0,
    evidence,
  };
}

/** What has grown since the fleet's memory was full. */
function growth(uses: readonly Use[]): readonly string[] {
  const early = uses.slice(WARM, WARM + 10);
  const late = uses.slice(-10);
  if (uses.length < WARM + 20) return [];
  const more = (read: (use: Use) => number) => leastOf(late, read) - leastOf(early, read);
  const [bytes, files] = [more(({ resident }) => resident), more(({ openFiles }) => openFiles)];
  return [
    ...(bytes > MORE_BYTES ? [`${bytes} bytes of memory more`] : []),
    ...(files > MORE_FILES ? [`${files} files more`] : []),
  ];
}

/** Garbage and connections in between do not count. */
function leastOf(uses: readonly Use[], read: (use: Use) => number): number {
  return Math.min(...uses.map(read));
}

/** Kills a worker that has been healthy for this long, and measures when its probe reports it. */
async function death(executable: string, args: readonly string[], afterMs: number): Promise<Result> {
  await using server = await startServer();
  await using worker = await startWorker({ server, args });
  await using serve = await startServing(executable, server.url());
  const path = `/livez/${worker.node}`;
  await untilHealthy(serve, 1);
  await wait(afterMs);
  await worker.killAll();
  const killedMs = performance.now();
  await until("it is unhealthy", async () => (await serve.status(path)) === 503);
  const ms = performance.now() - killedMs;
  const faults = ms > NOTICED_MS ? [`a 503 after ${Math.round(ms)} ms`] : [];
  return { ...resultOf(serve, faults, { args, ms }), overshootMs: ms - NOTICED_MS };
}
