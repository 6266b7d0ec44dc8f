// `npm start`: the main job, shown on real workers, beside the shell line that it replaces.
// `npm start -- --keep` leaves the world running afterwards.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { startContainer } from "../test/world/container.ts";
import { whyForbidden } from "../test/world/namespaces.ts";
import { celeryVenv } from "../test/world/python.ts";
import { startServer } from "../test/world/server.ts";
import { celeryInspectPing } from "../test/world/shell-line.ts";
import { startWorker, type Worker } from "../test/world/worker.ts";
import { ROOT, step } from "./suite.ts";

const CELERY = "5.7.0";
const EXECUTABLE = "dist/celery-probe";
/** What the probe is told about the broker. */
const environment = () => ({ CELERY_BROKER_URL: url });

const { keep: keeps, ...others } = parseArgs({ strict: false }).values;
if (Object.keys(others).length > 0) {
  console.error(`unknown option --${Object.keys(others)[0]}: expected --keep or nothing`);
  process.exit(1);
}

if (!(await step("building the executable", process.execPath, "build.mjs"))) process.exit(1);

console.log(`\n── starting Redis, the worker of a Django project, and two workers of Celery ${CELERY}`);
const venv = await celeryVenv(CELERY);
// Workers and probe see nothing else that runs on this machine, where the kernel lets us have that.
const forbidden = whyForbidden();
if (forbidden !== null)
  console.log(`   beside all that runs on this machine, as namespaces are forbidden: ${forbidden}`);
const container = forbidden === null ? await startContainer({ hostname: "demo" }) : null;
const folder = await mkdtemp(join(tmpdir(), "celery-probe-demo-"));
const pidfile = join(folder, "solo.pid");
let server = await startServer();
const { port } = server;
const url = server.url();
let [prefork, solo] = await startWorkers();
console.log(`   broker ${url}, workers ${prefork.node} (prefork, two children) and ${solo.node} (solo)`);

let unexpected = 0;
await djangoScene();
await scene("a worker that answers", prefork, /^healthy: alive: /, 0);
await scene("a solo worker that answers", solo, /^healthy: alive: /, 0);

const naps = await Promise.all(Array.from({ length: 12 }, () => prefork.submit("nap", 120)));
await Promise.race(naps.map((id) => prefork.taskStarted(id)));
await scene("a worker whose children are all busy, with more tasks waiting", prefork, /^healthy: alive: /, 0);

await solo.taskStarted(await solo.submit("nap", 600));
await scene(
  "a solo worker that is blocked by a task",
  solo,
  /^healthy: busy: .* less than the 300 s grace/,
  0,
);
await scene("the same, where no task may take so long", solo, /^unhealthy: hung: /, 1, "--busy-grace", "5s");

solo.suspend();
await scene("a worker that was stopped", solo, /^unhealthy: stopped: /, 1);

await solo.killAll();
// Where other Python programs are in sight, any of them might be the worker: its pid file says that none is.
await scene("a worker that was killed", solo, /^unhealthy: dead: /, 1, "--pidfile", pidfile);

await server.stop();
await scene("Redis is gone", prefork, /^unknown: broker-unreachable: .* refused the connection/, 1);
await prefork.killAll();

console.log(
  unexpected === 0
    ? "\nevery verdict is the expected one"
    : `\n${unexpected} verdicts are not the expected ones`,
);
if (keeps === true) await keep();
await container?.stop();
await rm(folder, { recursive: true });
process.exit(unexpected === 0 ? 0 : 1);

function startWorkers(): Promise<[Worker, Worker]> {
  const place = container === null ? {} : { within: container };
  return Promise.all([
    startWorker({ ...place, server, celery: CELERY, pool: "prefork", concurrency: 2, name: "prefork@%h" }),
    // A name with the host name of where it runs: then a probe there knows that the worker belongs there.
    startWorker({
      ...{ ...place, server, celery: CELERY, pool: "solo", name: "solo@%h", queues: ["solo"] },
      args: ["--pidfile", pidfile],
    }),
  ]);
}

/** The worker of a Django project: settings.py makes the broker's URL of REDIS_HOST and REDIS_PORT, and nobody names it. */
async function djangoScene(): Promise<void> {
  const title = "a Django project that has its broker in REDIS_HOST: no option, no variable";
  if (container === null) {
    // Beside other workers the probe would have to be told which is meant.
    console.log(`\n── left out, as it needs a container: ${title}`);
    return;
  }
  await using home = await startContainer({ hostname: "shop" });
  const django = await home.startWorker({
    ...{ server, celery: CELERY, pool: "solo", inDjango: true, queues: ["shop"] },
    env: { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(port) },
  });
  console.log(`\n── ${title}`);
  const began = performance.now();
  const { stdout, exitCode } = await home.run(join(ROOT, EXECUTABLE));
  show(EXECUTABLE, stdout, exitCode, performance.now() - began);
  judge(stdout, exitCode, /^healthy: alive: celery@shop /, 0);
  await django.killAll();
}

/** Asks both about the worker and prints what a user would type, see and wait for. */
async function scene(
  title: string,
  worker: Worker,
  expected: RegExp,
  exitCode: number,
  ...options: readonly string[]
): Promise<void> {
  console.log(`\n── ${title}`);
  const words = ["--node", worker.node, ...options];
  const ours = await probe(words);
  show(`CELERY_BROKER_URL=${url} ${EXECUTABLE} ${words.join(" ")}`, ours.stdout, ours.exitCode, ours.ms);
  judge(ours.stdout, ours.exitCode, expected, exitCode);
  const theirs = await celeryInspectPing({ venv, brokerUrl: url, node: worker.node });
  const lines = `${theirs.stdout}\n${theirs.stderr}`.trim().split("\n");
  show(`celery -b ${url} inspect ping -d ${worker.node}`, lines.at(-1) ?? "", theirs.exitCode, theirs.ms);
}

function judge(line: string, ended: number | undefined, expected: RegExp, exitCode: number): void {
  if (expected.test(line) && ended === exitCode) return;
  unexpected += 1;
  console.log(`   NOT EXPECTED: this should have been ${String(expected)} and exit ${exitCode}`);
}

async function probe(words: readonly string[]) {
  const executable = join(ROOT, EXECUTABLE);
  const options = { env: environment(), extendEnv: false, reject: false };
  const began = performance.now();
  const { stdout, exitCode } = await (container === null
    ? execa(executable, words, options)
    : container.run(executable, words, environment()));
  // What a user waits for, whatever else the machine does.
  return { stdout, exitCode, ms: performance.now() - began };
}

function show(command: string, words: string, exitCode: number | undefined, ms: number): void {
  const ended = exitCode === undefined ? "killed" : `exit ${exitCode}`;
  console.log(`   $ ${command}\n     ${words}\n     ${ended}, ${Math.round(ms)} ms`);
}

/** Starts the world anew, where it was, and waits for Ctrl-C. */
async function keep(): Promise<void> {
  server = await startServer({ port });
  [prefork, solo] = await startWorkers();
  console.log(`\n── the world is running again, until Ctrl-C. For example:`);
  const entering = container === null ? "" : `nsenter ${container.entering().join(" ")} `;
  for (const { node, pid } of [prefork, solo]) {
    console.log(
      `   CELERY_BROKER_URL=${url} ${entering}$PWD/${EXECUTABLE} --node ${node} --verbose    (process ${pid})`,
    );
  }
  await new Promise((ended) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, ended);
    // Signal handlers alone do not keep a process.
    setInterval(() => undefined, 60_000);
  });
  await Promise.all([prefork.killAll(), solo.killAll()]);
  await server.stop();
}
