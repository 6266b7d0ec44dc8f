// `npm start`: shows the main use on real workers, beside the shell line that it replaces. `npm start -- --keep` leaves
// everything running afterwards.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { startContainer } from "../test/world/container.ts";
import { whyForbidden } from "../test/world/namespaces.ts";
import { type GroupOptions, ProcessGroup } from "../test/world/process-group.ts";
import { celeryVenv } from "../test/world/python.ts";
import { startServer } from "../test/world/server.ts";
import { celeryInspectPing } from "../test/world/shell-line.ts";
import { startWorker, type Worker } from "../test/world/worker.ts";
import {
  type Answer,
  answered,
  lesson,
  NEXT,
  type Scene,
  slower,
  summary,
  title as titleLine,
  typed,
  unexpectedOldLine,
} from "./demo-words.ts";
import { ROOT, step } from "./suite.ts";

const CELERY = "5.7.0";
const EXECUTABLE = "dist/celery-probe";
/** After this time the old line is killed. Docker waits longer by default, but a longer wait shows nothing new. */
const OLD_LINE_MS = 10_000;
/** The probe's settings for the broker. */
const environment = () => ({ CELERY_BROKER_URL: url });

const { keep: keeps, ...others } = parseArgs({ strict: false }).values;
if (Object.keys(others).length > 0) {
  console.error(`unknown option --${Object.keys(others)[0]}: expected --keep or nothing`);
  process.exit(1);
}

if (!(await step("building the executable", process.execPath, "build.mjs"))) process.exit(1);

console.log(titleLine(`starting Redis, the worker of a Django project, and two workers of Celery ${CELERY}`));
const venv = await celeryVenv(CELERY);
// Workers and probe see nothing else that runs on this machine, if the kernel allows us that.
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

console.log("   each scene asks two programs about one worker: celery-probe, and the line that it replaces");

let unexpected = 0;
const scenes: Scene[] = [];
await djangoScene();
await scene("a worker that answers", prefork, { says: /^healthy: alive: /, answers: slower });
await scene("a solo worker that answers", solo, { says: /^healthy: alive: /, answers: slower });

const naps = await Promise.all(Array.from({ length: 12 }, () => prefork.submit("nap", 120)));
await Promise.race(naps.map((id) => prefork.taskStarted(id)));
await scene("all children busy, more tasks waiting", prefork, {
  says: /^healthy: alive: /,
  answers: () => "The old line says the same: the main process of a busy prefork pool still answers.",
});

await solo.taskStarted(await solo.submit("nap", 600));
await scene("a solo worker blocked by a task", solo, {
  says: /^healthy: busy: .* less than the 300 s grace/,
  fails: () =>
    "The old line gets no answer: with it this worker would be restarted in the middle of its task.",
});
await scene("the same, for longer than allowed", solo, {
  says: /^unhealthy: hung: /,
  options: ["--busy-grace", "5s"],
  fails: () => "The old line said so from the first second of the task on: it knows no grace.",
});

solo.suspend();
await scene("a worker that was stopped", solo, {
  says: /^unhealthy: stopped: /,
  fails: () => "The old line gets no answer, as from the busy worker: it cannot tell the two apart.",
});

await solo.killAll();
await scene("a worker that was killed", solo, {
  says: /^unhealthy: dead: /,
  // If other Python programs are in sight, any of them may be the worker. The pid file says that none is.
  options: ["--pidfile", pidfile],
  fails: () => "The old line gets no answer once more, and does not know that nobody is there to give one.",
});

await server.stop();
const outage = () =>
  "The old line fails as for a dead worker, and a worker that is well would be restarted. " +
  "With --on-unknown healthy the probe exits 0 while the worker's process is alive.";
await scene("Redis is gone", prefork, {
  says: /^unknown: broker-unreachable: .* refused the connection/,
  fails: outage,
  waits: outage,
});
await prefork.killAll();

console.log(titleLine("in short"));
for (const row of summary(scenes)) console.log(`   ${row}`);
console.log(
  unexpected === 0
    ? "\n   every verdict is the expected one"
    : `\n   ${unexpected} verdicts are not the expected ones`,
);
console.log(titleLine("try next"));
for (const [line, purpose] of NEXT) console.log(`${typed(line.padEnd(26))} ${purpose}`);
console.log("   docs/replace.md has what takes the place of your line in Compose, Kubernetes and elsewhere");
if (keeps === true) await keep();
await container?.stop();
await rm(folder, { recursive: true });
process.exit(unexpected === 0 ? 0 : 1);

function startWorkers(): Promise<[Worker, Worker]> {
  const place = container === null ? {} : { within: container };
  return Promise.all([
    startWorker({ ...place, server, celery: CELERY, pool: "prefork", concurrency: 2, name: "prefork@%h" }),
    // A name with the host name of its container. So a probe there knows that the worker belongs there.
    startWorker({
      ...{ ...place, server, celery: CELERY, pool: "solo", name: "solo@%h", queues: ["solo"] },
      args: ["--pidfile", pidfile],
    }),
  ]);
}

/**
 * The worker of a Django project. settings.py builds the broker's URL from REDIS_HOST and REDIS_PORT, and no setting
 * names the URL.
 */
async function djangoScene(): Promise<void> {
  const title = "a Django project, broker in REDIS_HOST";
  if (container === null) {
    // Beside other workers, the probe would need to be told which one is meant.
    console.log(titleLine(`left out, as it needs a container: ${title}`));
    return;
  }
  await using home = await startContainer({ hostname: "shop" });
  const django = await home.startWorker({
    ...{ server, celery: CELERY, pool: "solo", inDjango: true, queues: ["shop"] },
    env: { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(port) },
  });
  console.log(titleLine(title));
  const began = performance.now();
  const { stdout, exitCode } = await home.run(join(ROOT, EXECUTABLE));
  const ours = { line: stdout, exitCode, ms: performance.now() - began };
  show(EXECUTABLE, ours);
  judge(ours, /^healthy: alive: celery@shop /);
  console.log(
    lesson("The old line finds this broker only with -A, which imports the whole project at each check."),
  );
  scenes.push({ title, ours, theirs: null });
  await django.killAll();
}

interface Expected {
  /** The probe's line. A healthy one ends with exit code 0. */
  readonly says: RegExp;
  /** The probe's options, besides the node. */
  readonly options?: readonly string[];
  /** The meaning of the old line's end if it is this one: an answer, no answer, or no end. */
  readonly answers?: (ours: Answer, theirs: Answer) => string;
  readonly fails?: () => string;
  readonly waits?: () => string;
}

/** Asks both about the worker. Prints what a user would type and see, how long it takes, and what it means. */
async function scene(title: string, worker: Worker, expected: Expected): Promise<void> {
  console.log(titleLine(title));
  const words = ["--node", worker.node, ...(expected.options ?? [])];
  const ours = await probe(words);
  show(`CELERY_BROKER_URL=${url} ${EXECUTABLE} ${words.join(" ")}`, ours);
  judge(ours, expected.says);
  const theirs = await oldLine(worker.node);
  show(`celery -b ${url} inspect ping -d ${worker.node}`, theirs);
  const { answers, fails, waits } = expected;
  const meaning = theirs.exitCode === undefined ? waits : theirs.exitCode === 0 ? answers : fails;
  console.log(lesson(meaning?.(ours, theirs) ?? unexpectedOldLine(theirs)));
  scenes.push({ title, ours, theirs });
}

function judge({ line, exitCode }: Answer, expected: RegExp): void {
  const end = line.startsWith("healthy") ? 0 : 1;
  if (expected.test(line) && exitCode === end) return;
  unexpected += 1;
  console.log(`   NOT EXPECTED: this should have been ${String(expected)} and exit ${end}`);
}

async function probe(words: readonly string[]): Promise<Answer> {
  const executable = join(ROOT, EXECUTABLE);
  const options = { env: environment(), extendEnv: false, reject: false };
  const began = performance.now();
  const { stdout, exitCode } = await (container === null
    ? execa(executable, words, options)
    : container.run(executable, words, environment()));
  // The time that a user waits, including delays by other work of the machine.
  return { line: stdout, exitCode, ms: performance.now() - began };
}

async function oldLine(node: string): Promise<Answer> {
  const { stdout, stderr, exitCode, ms } = await celeryInspectPing({
    ...{ venv, brokerUrl: url, node },
    longestMs: OLD_LINE_MS,
  });
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  return { line: lines.at(-1) ?? "", exitCode, ms };
}

function show(command: string, answer: Answer): void {
  console.log(`${typed(command)}\n${answered(answer)}`);
}

/** Starts everything again in the same place, and waits for Ctrl-C. */
async function keep(): Promise<void> {
  server = await startServer({ port });
  [prefork, solo] = await startWorkers();
  console.log(titleLine("the world is running again, until Ctrl-C. For example:"));
  const entering = container === null ? "" : `nsenter ${container.entering().join(" ")} `;
  for (const { node, pid } of [prefork, solo]) {
    console.log(
      `   CELERY_BROKER_URL=${url} ${entering}$PWD/${EXECUTABLE} --node ${node} --verbose    (process ${pid})`,
    );
  }
  const serve = await startServe();
  const [, address] = await serve.waitForLog(/^listening on (\S+)$/m);
  console.log(`   the page of this fleet: ${address ?? ""}`);
  await new Promise((ended) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, ended);
    // Signal handlers alone do not keep a process alive.
    setInterval(() => undefined, 60_000);
  });
  await Promise.all([prefork.killAll(), solo.killAll(), serve.stop(0)]);
  await server.stop();
}

/** Watches the demo's fleet on a free port. If the workers have a container, it runs there too. */
function startServe(): Promise<Pick<ProcessGroup, "waitForLog" | "stop">> {
  const program: GroupOptions = {
    what: "serve",
    command: join(ROOT, EXECUTABLE),
    args: () => ["serve", "--listen", "127.0.0.1:0", "--interval", "5s"],
    env: environment,
  };
  return container === null ? ProcessGroup.start(program) : container.start(program);
}
