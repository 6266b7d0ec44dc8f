// `serve` for long: the broker restarts, workers come and go under new names, and some are killed.
import { setTimeout as wait } from "node:timers/promises";
import { parseExposition } from "../serve/exposition.ts";
import { startScriptedWorkers } from "../world/scripted-workers.ts";
import { type Server, startServer } from "../world/server.ts";
import { type Serving, startServing, untilHealthy } from "../world/serving.ts";
import { until } from "../world/until.ts";
import { startWorker } from "../world/worker.ts";

/** `/livez/NODE` is asked so often while the broker restarts, in milliseconds. */
const ASKED_EVERY_MS = 25;

/** An idle worker and a busy one, which notices nothing of its broker, and a `serve` that watches both. */
export interface Outages extends AsyncDisposable {
  readonly serve: Serving;
  /**
   * Takes the broker away for some milliseconds, and waits until all is as before; gives what was wrong meanwhile.
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

/** Asks as kubelet does, and notes each answer that would restart somebody. */
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

/** A rush: a round each tenth of a second, and at each step workers that end and come back under new names. */
export interface Rush extends AsyncDisposable {
  readonly serve: Serving;
  /** Renames some workers and waits for so many rounds. */
  readonly step: (rounds: number) => Promise<Use>;
}

/** What `serve` has at the end of a step; memory in bytes. */
export interface Use {
  readonly series: number;
  readonly mostSeries: number;
  readonly resident: number;
  readonly openFiles: number;
}

/** Workers at a time, and how many of them get a new name at each step. */
const FLEET = 60;
const RENAMED = 20;

/** So many of these end without a word. They are shown for ten minutes. */
const VANISHING = 2;
const SHOWN_MS = 600_000;

/** Series that belong to no worker. */
const OTHER_SERIES = 60;

export async function startRush(executable: string): Promise<Rush> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  const workers = stack.use(await startScriptedWorkers(server.port, FLEET));
  // Whoever sends no heartbeats is pinged in each round, and everybody with it.
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
      // A minute more, until it is seen that they are gone.
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
