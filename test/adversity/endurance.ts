// `serve` in long runs: the broker restarts, workers end and come back with new names, and some are killed.
import { setTimeout as wait } from "node:timers/promises";
import { parseExposition } from "../serve/exposition.ts";
import { startScriptedWorkers } from "../world/scripted-workers.ts";
import { type Server, startServer } from "../world/server.ts";
import { type Serving, startServing, untilHealthy } from "../world/serving.ts";
import { until } from "../world/until.ts";
import { startWorker } from "../world/worker.ts";

/** How often `/livez/NODE` is asked while the broker restarts, in milliseconds. */
const ASKED_EVERY_MS = 25;

/** An idle worker, a busy one that notices nothing of its broker, and a `serve` that watches both. */
export interface Outages extends AsyncDisposable {
  readonly serve: Serving;
  /**
   * Takes the broker away for this many milliseconds, and waits until everything is as before. Returns what was wrong
   * meanwhile.
   */
  readonly outage: (ms: number) => Promise<readonly string[]>;
}

export async function startOutages(executable: string): Promise<Outages> {
  await using stack = new AsyncDisposableStack();
  let server: Server = await startServer();
  stack.defer(() => server.stop());
  const idle = stack.use(await startWorker({ server }));
  const busy = stack.use(await startWorker({ server, pool: "solo", queues: ["slow"] }));
  const serve = stack.use(await startServing(executable, server.url(), ["--interval=1s", "--busy-grace=2h"]));
  await untilHealthy(serve, 2);
  await busy.taskStarted(await busy.submit("nap_until", "/never"));
  const { port } = server;
  const isBack = async () => (await serve.status(`/readyz/${idle.node}`)) === 200;
  const owned = stack.move();
  return {
    serve,
    async outage(ms) {
      const watched = watchLiveness(serve, [idle.node, busy.node]);
      await server.stop();
      await wait(ms);
      server = await startServer({ port });
      await until("the broker is reached", async () => (await serve.status("/readyz")) === 200);
      await until(`${idle.node} is healthy again`, isBack);
      return watched.end();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Asks like kubelet, and notes each answer that would restart a worker. */
function watchLiveness({ status, text }: Serving, nodes: readonly string[]) {
  const wrongs = new Set<string>();
  const paths = ["/livez", ...nodes.map((node) => `/livez/${node}`)];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      for (const path of paths) {
        const code = await status(path);
        if (code !== 200) wrongs.add(`${path} answered ${code}: ${await text(path)}`);
      }
      await wait(ASKED_EVERY_MS);
    }
  })();
  return {
    async end(): Promise<readonly string[]> {
      isOver = true;
      await asking.catch((error: unknown) => wrongs.add(`serve does not answer: ${String(error)}`));
      return [...wrongs];
    },
  };
}

/** A fast run: ten rounds a second. At each step, some workers end and come back with new names. */
export interface Rush extends AsyncDisposable {
  readonly serve: Serving;
  /** Renames some workers and waits for this many rounds. */
  readonly step: (rounds: number) => Promise<Use>;
}

/** What `serve` uses at the end of a step. Memory is in bytes. */
export interface Use {
  readonly series: number;
  readonly mostSeries: number;
  readonly resident: number;
  readonly openFiles: number;
}

/** The number of workers at a time, and how many of them get a new name at each step. */
const FLEET = 60;
const RENAMED = 20;

/** This many of them end without a goodbye. They are shown for ten minutes. */
const VANISHING = 2;
const SHOWN_MS = 600_000;

/** Series that belong to no worker. */
const OTHER_SERIES = 60;

export async function startRush(executable: string): Promise<Rush> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  const workers = stack.use(await startScriptedWorkers(server.port, FLEET));
  // A worker without heartbeats is pinged in each round, and so are all other workers.
  stack.use(await startWorker({ server, args: ["--without-heartbeat"] }));
  const serve = stack.use(await startServing(executable, server.url(), ["--interval=100ms"]));
  await untilHealthy(serve, FLEET + 1);
  const scraped = async () => parseExposition(await serve.text("/metrics"), "text");
  const roundsIn = (series: Awaited<ReturnType<typeof scraped>>) =>
    series.find(({ name }) => name === "celery_probe_rounds_total")?.value ?? Number.NaN;
  const stepsMs: number[] = [];
  const owned = stack.move();
  return {
    serve,
    async step(rounds) {
      const wanted = roundsIn(await scraped()) + rounds;
      stepsMs.push(performance.now());
      const names = Array.from({ length: RENAMED }, (_, at) => `celery@pod-${stepsMs.length}-${at}`);
      await workers.rename(names, VANISHING);
      await until("the new names are healthy", async () => {
        const [first = "", last = ""] = [names[0], names.at(-1)];
        return (
          (await serve.status(`/readyz/${first}`)) === 200 && (await serve.status(`/readyz/${last}`)) === 200
        );
      });
      await until(`${rounds} rounds`, async () => {
        await wait(200);
        return roundsIn(await scraped()) >= wanted;
      });
      const series = await scraped();
      // One minute more, until `serve` sees that they are gone.
      const remembered = stepsMs.filter((ms) => performance.now() - ms < SHOWN_MS + 60_000).length;
      return {
        series: series.length,
        mostSeries: 10 * (FLEET + 1 + VANISHING * remembered) + OTHER_SERIES,
        resident: serve.resident(),
        openFiles: serve.openFiles(),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
