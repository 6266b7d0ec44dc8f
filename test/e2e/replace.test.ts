import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { OPTIONS } from "../../src/cli/options.ts";
import { duration } from "../../src/cli/values.ts";
import { startBeat } from "../world/beat.ts";
import { type Container, startContainer } from "../world/container.ts";
import { type CeleryVenv, celeryVenv, unpackedPackage } from "../world/python.ts";
import { type Server, startServer } from "../world/server.ts";
import { startWorker, type Worker } from "../world/worker.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { EXECUTABLE, expectLine, type Probed } from "./probe.ts";

/**
 * Runs each line that docs/replace.md recommends, beside a real worker that was started as in the project. The program
 * and the application have the project's names, and the broker is where the project has it.
 */

const WORLD = join(import.meta.dirname, "../world");
const PAGE = readFileSync(join(import.meta.dirname, "../../docs/replace.md"), "utf8");

/** The broker of the page. Here it is the test's own. */
const BROKER_OF_PAGE = "redis://redis:6379/0";

/** A section of the page: the old line, and its replacement. */
interface Section {
  readonly title: string;
  /** The probe's arguments, without its name. */
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

interface Recommended {
  readonly healthcheck?: { readonly test: readonly string[]; readonly timeout: string };
  readonly livenessProbe?: KubernetesProbe;
  readonly readinessProbe?: KubernetesProbe;
  readonly environment?: Readonly<Record<string, string>>;
}
interface KubernetesProbe {
  readonly exec: { readonly command: readonly string[] };
  readonly timeoutSeconds: number;
}

const SECTIONS: readonly Section[] = PAGE.split(/^## /m)
  .slice(1)
  .flatMap((text) => {
    const title = text.slice(0, text.indexOf("\n"));
    const instead = /^Instead:\n\n```yaml\n([^]*?)```/m.exec(text)?.[1];
    return instead === undefined ? [] : [{ title, ...recommendedIn(instead) }];
  });

function recommendedIn(text: string): Omit<Section, "title"> {
  const { healthcheck, environment = {}, ...probes } = parse(text) as Recommended;
  const kubernetes = probes.livenessProbe ?? probes.readinessProbe;
  const [first, ...words] = healthcheck?.test ?? ["CMD", ...(kubernetes?.exec.command ?? [])];
  expect([first, words[0]]).toEqual(["CMD", "celery-probe"]);
  const timeout = duration(healthcheck?.timeout ?? `${kubernetes?.timeoutSeconds}s`);
  if (!timeout.ok) throw new Error(timeout.problem);
  return { args: words.slice(1), variables: environment, timeoutMs: timeout.value };
}

const sectionOf = (title: string): Section => {
  const section = SECTIONS.find((each) => each.title === title);
  if (section === undefined) throw new Error(`the page has no section '${title}'`);
  return section;
};

let server: Server;
let container: Container;
let venv: CeleryVenv;
beforeEach(async () => {
  [server, container, venv] = await Promise.all([startServer(), startContainer(), celeryVenv("5.7.0")]);
});
afterEach(async () => {
  await container.stop();
  await server.stop();
});

/** How a project starts its worker. */
interface Project {
  /** The program's file name and its Python code; default: Celery's own command. */
  readonly program?: readonly [name: string, text: string];
  /** The arguments before `worker`. */
  readonly words: readonly string[];
  /** The module of the application. It is the test world's module under another name, with this code added. */
  readonly module: readonly [name: string, text: string];
  /** The container's environment, in which the project has its broker. */
  readonly environment: (url: string) => Readonly<Record<string, string>>;
  readonly options?: Partial<WorkerOptions>;
  /** Whether setproctitle is installed, so that it overwrites the worker's command line and environment. */
  readonly writesTitle?: true;
}

const CELERY = ["celery", "import sys\nfrom celery.__main__ import main\nsys.exit(main())\n"] as const;
const BY_CELERY = (url: string) => ({ CELERY_BROKER_URL: url });
const fromVariable = (name: string) =>
  `import os\napp.conf.broker_url = os.environ[${JSON.stringify(name)}]\n`;

const BARE = { words: ["-A", "app"], module: ["app", ""], environment: BY_CELERY } as const;

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The folder of the project's modules, and the program that starts its worker. */
function installed(project: Project): { folder: string; program: string } {
  const [name, text] = project.program ?? CELERY;
  const [module, more] = project.module;
  const folder = join(container.folder, "project");
  const program = join(container.folder, "bin", name);
  write(program, text);
  write(join(folder, `${module.replaceAll(".", "/")}.py`), `from tasks import app\n${more}`);
  return { folder, program };
}

async function startProject(project: Project): Promise<Worker> {
  const { folder, program } = installed(project);
  const titles = project.writesTitle ? [await unpackedPackage("setproctitle", "setproctitle==1.3.7")] : [];
  return container.startWorker({
    server,
    pool: "solo",
    script: program,
    globalArgs: project.words,
    env: {
      CELERY_BROKER_URL: undefined,
      PYTHONPATH: [folder, WORLD, ...titles].join(":"),
      ...project.environment(server.url()),
    },
    ...project.options,
  } as WorkerOptions);
}

const ours = (text: string) => text.replaceAll(BROKER_OF_PAGE, server.url());

/** Runs the line that a section recommends as the container's health check, in the container's environment. */
async function ask(title: string, environment: Readonly<Record<string, string>>): Promise<Probed> {
  const { args, variables } = sectionOf(title);
  const added = Object.entries(variables).map(([name, value]) => [name, ours(value)]);
  const { stdout, ...rest } = await container.run(EXECUTABLE, args.map(ours), {
    ...environment,
    ...(Object.fromEntries(added) as Record<string, string>),
  });
  return { ...rest, stdout: stdout.trimEnd() };
}

/** Runs a line like a health check's shell: in the container, with the project's modules and Celery's command. */
async function shell(line: string, environment: Readonly<Record<string, string>> = BY_CELERY(server.url())) {
  const PATH = `${join(venv.folder, "bin")}:/usr/bin:/bin`;
  const PYTHONPATH = `${join(container.folder, "project")}:${WORLD}`;
  return container.run("/bin/sh", ["-c", line], {
    PATH,
    PYTHONPATH,
    PYTHONDONTWRITEBYTECODE: "1",
    HOSTNAME: container.hostname,
    ...environment,
  });
}

const ALIVE = /^healthy: alive: celery@\S+ answered in \d+ ms$/;

/** Like settings that build the URL from its parts. */
const FROM_PARTS =
  "import os\napp.conf.broker_url = 'redis://' + os.environ['REDIS_HOST'] + ':' + os.environ['REDIS_PORT'] + '/0'\n";
const BY_PARTS = (url: string) => ({ REDIS_HOST: new URL(url).hostname, REDIS_PORT: new URL(url).port });

const PROJECTS: Readonly<Record<string, Project & { readonly says?: RegExp }>> = {
  "The line itself": {
    words: ["-A", "app.celery_app:celery_app"],
    module: ["app.celery_app", "celery_app = app\n"],
    environment: BY_CELERY,
  },
  "In a Django project": {
    words: ["-A", "config.celery_app"],
    module: ["config.celery_app", FROM_PARTS],
    environment: BY_PARTS,
  },
  "With grep behind it": { ...BARE, words: ["-A", "cursion"], module: ["cursion", ""] },
  "Without a name": { ...BARE, words: ["-A", "app.celery_app"], module: ["app.celery_app", ""] },
  "`celery status`": { ...BARE, words: ["-A", "run"], module: ["run", ""] },
  Airflow: {
    program: [
      "airflow",
      "import sys\nfrom airflow.providers.celery.executors.celery_executor import app\n" +
        "app.worker_main(sys.argv[2:])\n",
    ],
    words: ["celery"],
    module: [
      "airflow.providers.celery.executors.celery_executor",
      fromVariable("AIRFLOW__CELERY__BROKER_URL"),
    ],
    // With the empty password of Airflow's file.
    environment: (url) => ({ AIRFLOW__CELERY__BROKER_URL: url.replace("//", "//:@") }),
    options: { pool: "prefork" },
    writesTitle: true,
  },
  Superset: {
    words: ["--app=superset.tasks.celery_app:app"],
    module: ["superset.tasks.celery_app", FROM_PARTS],
    environment: BY_PARTS,
    options: { args: ["-O", "fair"] },
  },
  "Sentry, as its community chart had it": {
    program: ["sentry", "import sys\nfrom sentry.celery import app\napp.worker_main(sys.argv[2:])\n"],
    words: ["run"],
    module: ["sentry.celery", fromVariable("SENTRY_BROKER")],
    environment: (url) => ({ SENTRY_BROKER: url }),
  },
  "Kubernetes, by a shell": {
    program: [
      "nautobot-server",
      "import sys\nfrom nautobot.core.celery import app\napp.worker_main(sys.argv[2:])\n",
    ],
    words: ["celery"],
    module: [
      "nautobot.core.celery",
      "import json\nfrom kombu.serialization import register\n" +
        "register('nautobot_json', json.dumps, json.loads, content_type='application/x-nautobot-json')\n" +
        "app.conf.update(accept_content=['nautobot_json'], task_serializer='nautobot_json')\n" +
        fromVariable("NAUTOBOT_CELERY_BROKER_URL"),
    ],
    environment: (url) => ({ NAUTOBOT_CELERY_BROKER_URL: url }),
    options: { until: "ready" },
    // It does not accept JSON, the only serialisation that the probe uses.
    says: /^healthy: deaf: /,
  },
  "Celery's own chart": BARE,
  "Is there a process": {
    ...BARE,
    words: ["-A", "run_celery.notify_celery"],
    module: ["run_celery.notify_celery", ""],
  },
  "A file that the worker touches": BARE,
  "Does Redis answer": BARE,
  "Flower's list of workers": BARE,
};

const BEAT = "Beat";

describe("docs/replace.md", () => {
  test("has a section for each project here, and one for beat", () => {
    expect(SECTIONS.map(({ title }) => title)).toEqual([...Object.keys(PROJECTS), BEAT]);
  });

  test("gives each line more time than the probe takes", () => {
    for (const { title, timeoutMs } of SECTIONS)
      expect(timeoutMs, title).toBeGreaterThan(OPTIONS.deadline.default);
  });
});

test.each(Object.entries(PROJECTS))(
  "%s: the line says that its worker is healthy",
  async (title, project) => {
    await startProject(project);
    const asked = await ask(title, project.environment(server.url()));
    expectLine(asked, 0, project.says ?? ALIVE, OPTIONS.deadline.default);
  },
);

test(`${BEAT}: the line says that it is healthy`, async () => {
  await startBeat(container, { brokerUrl: server.url() });
  const asked = await ask(BEAT, BY_CELERY(server.url()));
  expectLine(asked, 0, /^healthy: running: beat process \d+ runs/, OPTIONS.deadline.default);
});

/** Checks whether the old line exits with this code. */
async function expectOld(line: string, exitCode: number): Promise<void> {
  expect(await shell(line), line).toMatchObject({ exitCode });
}

describe("what the page says about the old line", () => {
  const now = async (title: string) => (await ask(title, BY_CELERY(server.url()))).stdout;
  const projectOf = (title: string): Project => {
    const project = PROJECTS[title];
    if (project === undefined) throw new Error(`there is no project '${title}'`);
    return project;
  };

  test("-d celery@%h asks no worker", async () => {
    await startProject(projectOf("The line itself"));
    await expectOld("celery -A app.celery_app:celery_app inspect ping -d celery@$HOSTNAME -t 5", 0);
    await expectOld("celery -A app.celery_app:celery_app inspect ping -d celery@%h", 69);
    expect(await now("The line itself")).toMatch(ALIVE);
  });

  test("another worker's pong counts for a dead one when no node is named", async () => {
    const title = "Without a name";
    await using _other = await startWorker({ server, pool: "solo" });
    const own = await startProject(projectOf(title));
    await own.killAll();
    await expectOld("celery -A app.celery_app inspect ping --timeout=2", 0);
    expect(await now(title)).toMatch(/^unhealthy: dead: /);
  });

  test("Celery's own chart passes where nothing runs", async () => {
    const quoted = /^livenessProbe:\n {2}exec:\n {4}command: \[[^]*?\]\n/m.exec(PAGE)?.[0] ?? "";
    const { livenessProbe } = parse(quoted) as Recommended;
    const [, option, code] = livenessProbe?.exec.command ?? [];
    expect([option, code]).toEqual(["-c", expect.stringContaining("celery.task.control")]);
    expect(await container.run(venv.python, ["-c", code ?? ""])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await now("Celery's own chart")).toMatch(/^unhealthy: dead: /);
  });

  test("a stopped worker has a process, and a shell finds itself", async () => {
    const title = "Is there a process";
    const worker = await startProject(projectOf(title));
    worker.suspend();
    await expectOld('pgrep -f "celery.*worker"', 0);
    expect(await now(title)).toMatch(/^unhealthy: stopped: /);
    await worker.killAll();
    await expectOld("pgrep -f 'celery worker' || exit 1", 0);
    await expectOld("pgrep -f '[c]elery worker' || exit 1", 1);
    expect(await now(title)).toMatch(/^unhealthy: dead: /);
  });

  test("a file is not touched while a task blocks the worker", async () => {
    const title = "A file that the worker touches";
    const file = join(container.folder, "worker_heartbeat");
    const bootstep =
      "from pathlib import Path\nfrom celery import bootsteps\n\n\n" +
      "class Liveness(bootsteps.StartStopStep):\n" +
      "    requires = {'celery.worker.components:Timer'}\n\n" +
      "    def start(self, worker):\n" +
      `        worker.timer.call_repeatedly(1.0, Path(${JSON.stringify(file)}).touch, priority=10)\n\n\n` +
      "app.steps['worker'].add(Liveness)\n";
    const worker = await startProject({ ...projectOf(title), module: ["app", bootstep] });
    await expect.poll(() => existsSync(file), { timeout: 10_000 }).toBe(true);
    await expectOld(`find ${file} -mmin -1 | grep .`, 0);
    await worker.taskStarted(await worker.submit("nap", 30));
    // As a task of two minutes would leave it.
    const then = Date.now() / 1_000 - 120;
    utimesSync(file, then, then);
    expect(await now(title)).toMatch(/^healthy: busy: /);
    await expectOld(`find ${file} -mmin -1 | grep .`, 1);
  });

  test("Redis answers for a dead worker", async () => {
    const title = "Does Redis answer";
    const worker = await startProject(projectOf(title));
    await worker.killAll();
    expect(await server.client().ping()).toBe("PONG");
    expect(await now(title)).toMatch(/^unhealthy: dead: /);
    await server.stop();
    const asked = await container.run(EXECUTABLE, ["--placement", "remote"], BY_CELERY(server.url()));
    expect(asked.stdout).toMatch(/^unknown: broker-unreachable: /);
  });

  test("a broker other than Redis is refused, and the line says so", async () => {
    const { stderr, exitCode } = await container.run(EXECUTABLE, [], BY_CELERY("amqp://rabbitmq:5672//"));
    expect(stderr).toMatch(
      /^celery-probe: CELERY_BROKER_URL 'amqp:[^']+' is not a Redis broker: expected redis:/,
    );
    expect(exitCode).toBe(1);
  });
});
