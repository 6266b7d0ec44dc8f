import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startBeat } from "../world/beat.ts";
import { type Container, startContainer } from "../world/container.ts";
import type { Program } from "../world/contained-program.ts";
import { IS_ROOT } from "../world/namespaces.ts";
import { answersPing, pidboxChannel } from "../world/pidbox-by-hand.ts";
import { startProxy } from "../world/proxy.ts";
import { type CeleryVenv, celeryVenv, unpackedPackage, type VenvOptions } from "../world/python.ts";
import { loneUser, type Server, startServer } from "../world/server.ts";
import { taskMessage } from "../world/task-message.ts";
import { until } from "../world/until.ts";
import { EXECUTABLE, expectLine, type Probed } from "./probe.ts";

/** Which process is which node: real workers that no command line shows, beside other programs. */

interface Run {
  /** The command before the interpreter. */
  readonly behind?: readonly string[];
  readonly brokerUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The nodes that must answer a ping, in the form of `-n`. */
  readonly nodes?: readonly string[];
  /** The pattern to wait for in the log. */
  readonly until?: RegExp;
}

/** A broker and a container. Each test has its own, because it mostly waits. */
class Scene implements AsyncDisposable {
  readonly server: Server;
  readonly container: Container;
  readonly venv: CeleryVenv;

  private constructor(server: Server, container: Container, venv: CeleryVenv) {
    this.server = server;
    this.container = container;
    this.venv = venv;
  }

  static async open(also?: VenvOptions["also"]): Promise<Scene> {
    const venv = celeryVenv("5.7.0", also === undefined ? {} : { also });
    const parts = await Promise.all([startServer(), startContainer(), venv]);
    // One of them runs as another user.
    chmodSync(parts[1].folder, 0o755);
    return new Scene(...parts);
  }

  /** Runs a program of these lines in the container, and waits for the workers that it becomes. */
  run(name: string, lines: readonly string[], how: Run = {}): Promise<Program> {
    const script = join(this.container.folder, name);
    writeFileSync(script, lines.join("\n") + "\n");
    return this.start([...(how.behind ?? []), this.venv.python, script], how);
  }

  async start([command = "", ...args]: readonly string[], how: Run): Promise<Program> {
    const program = await this.container.start({
      what: "program",
      command,
      args: () => args,
      env: (folder) => ({
        PATH: "/usr/bin:/bin",
        HOME: folder,
        LANG: "C.UTF-8",
        PYTHONPATH: WORLD,
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
        CELERY_BROKER_URL: how.brokerUrl ?? this.server.url(),
        ...how.env,
      }),
    });
    if (how.until !== undefined) await program.waitForLog(how.until, { timeoutMs: 30_000 });
    for (const node of how.nodes ?? []) {
      const full = node.replaceAll("%h", this.container.hostname);
      if (!(await answersPing(this.server.client(), pidboxChannel(0), full, 30_000)))
        throw program.problem(`${full} answers no ping`);
    }
    return program;
  }

  /** The place where the interpreter finds Celery when it has another name. */
  get packages(): string {
    return join(
      this.venv.folder,
      "lib",
      readdirSync(join(this.venv.folder, "lib"))[0] ?? "",
      "site-packages",
    );
  }

  /** Resolves when the worker runs a long task. Returns a function that ends the task and waits for its end. */
  async occupy(program: Program, queue = "celery"): Promise<() => Promise<unknown>> {
    const gate = join(this.container.folder, `gate-${queue}`);
    const { element, id } = taskMessage(queue, "nap_until", [gate]);
    await this.server.client().lpush(queue, element);
    await program.waitForLog(new RegExp(`began ${id}`));
    return () => {
      writeFileSync(gate, "");
      return program.waitForLog(new RegExp(`\\[${id}\\] succeeded`));
    };
  }

  async ask(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    behind: readonly string[] = [],
  ): Promise<Probed> {
    const [command = EXECUTABLE, ...rest] = [...behind, EXECUTABLE, ...args];
    const found = await this.container.run(command, rest, { CELERY_BROKER_URL: this.server.url(), ...env });
    return { ...found, stdout: found.stdout.trimEnd() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.container.stop();
    await this.server.stop();
  }
}

const WORLD = join(import.meta.dirname, "../world");

/** The lines of a script that becomes a worker. Its command line does not show this. */
const workerMain = (...options: readonly string[]) => [
  "from tasks import app",
  `app.worker_main(${JSON.stringify(["worker", "-l", "INFO", "-P", "solo", "-c", "1", ...options])})`,
];

async function kill(program: Program): Promise<void> {
  program.signal("SIGKILL");
  await program.ended;
}

const forgiving = { CELERY_PROBE_ON_UNKNOWN: "healthy" };

describe.concurrent("two scripts that become workers, a check each", () => {
  test("are told apart by their heartbeats, and each gets credit only for its own", async () => {
    await using scene = await Scene.open();
    const [a, b] = await Promise.all([
      scene.run("a.py", workerMain("-n", "a@%h", "-Q", "a"), { nodes: ["a@%h"] }),
      scene.run("b.py", workerMain("-n", "b@%h", "-Q", "b,again"), { nodes: ["b@%h"] }),
    ]);
    expectLine(await scene.ask(), 0, /^healthy: alive: 2 nodes \([ab]@\S+, [ab]@\S+\) answered in/, 4_900);
    expectLine(await scene.ask(["--node=b@%h"]), 0, /^healthy: alive: b@/, 2_900);
    const [, free] = await Promise.all([scene.occupy(a, "a"), scene.occupy(b, "b")]);
    // Either process may be either node, and both are busy.
    for (const name of ["a", "b"])
      expectLine(await scene.ask([`--node=${name}@%h`]), 0, new RegExp(`^healthy: busy: ${name}@`), 4_900);
    await free();
    await kill(a);
    const idle = await scene.ask(["--node=a@%h"], forgiving);
    expectLine(idle, 1, /^unknown: undecided: no worker here is called a@\S+; here is b@/, 4_900);
    await scene.occupy(b, "again");
    const busy = await scene.ask(["--node=a@%h"], forgiving);
    expectLine(busy, 1, /^unknown: undecided: no process here is known to be a@\S+, and process \d+/, 4_900);
    // What it has shown does not speak against it.
    expectLine(await scene.ask(), 0, /^healthy: busy: /, 4_900);
  });
});

describe.concurrent("one script that becomes a worker with its own name", () => {
  test("is alive, and busy, with and without --node", async () => {
    await using scene = await Scene.open();
    const worker = await scene.run("run.py", workerMain("-n", "reports@prod"), { nodes: ["reports@prod"] });
    expectLine(await scene.ask(), 0, /^healthy: alive: reports@prod answered in/, 4_900);
    await scene.occupy(worker);
    expectLine(await scene.ask(["--node=reports@prod"]), 0, /^healthy: busy: reports@prod silent/, 4_900);
    expectLine(await scene.ask(), 0, /^healthy: busy: /, 4_900);
    await kill(worker);
    const { stdout, exitCode } = await scene.ask(["--node=reports@prod"], forgiving);
    expect(stdout).toMatch(/^unknown: undecided: .*its process is out of sight/);
    expect(exitCode).toBe(1);
  });
});

test.concurrent("a script that becomes a worker without heartbeats is asked by its bound name", async () => {
  await using scene = await Scene.open();
  const quiet = ["--without-heartbeat", "--without-gossip", "--without-mingle"];
  await scene.run("run.py", workerMain("-n", "quiet@%h", ...quiet), { nodes: ["quiet@%h"] });
  expectLine(await scene.ask(), 0, /^healthy: alive: quiet@\S+ answered in/, 2_900);
});

describe.concurrent("several workers that one script starts", () => {
  test("by fork, by spawn and by a fork server are asked together, and found busy", async () => {
    await using scene = await Scene.open();
    const lines = [
      "import multiprocessing",
      "def work(name):",
      "    from tasks import app",
      "    app.worker_main(['worker', '-l', 'INFO', '-P', 'solo', '-n', name + '@%h', '-Q', name])",
      "if __name__ == '__main__':",
      "    for method in ('fork', 'spawn', 'forkserver'):",
      "        multiprocessing.get_context(method).Process(target=work, args=(method,)).start()",
    ];
    const methods = ["fork", "spawn", "forkserver"];
    const launcher = await scene.run("launch.py", lines, { nodes: methods.map((name) => `${name}@%h`) });
    expectLine(await scene.ask(), 0, /^healthy: alive: 3 nodes \((?:\w+@\w+(?:, )?){3}\) answered in/, 4_900);
    for (const name of methods)
      expectLine(await scene.ask([`--node=${name}@%h`]), 0, new RegExp(`^healthy: alive: ${name}@`), 2_900);
    await Promise.all(methods.map((queue) => scene.occupy(launcher, queue)));
    expectLine(await scene.ask(), 0, /^healthy: busy: /, 4_900);
  });
});

test.concurrent(
  "workers whose programs have no name are asked together: code, standard input, an archive",
  async () => {
    await using scene = await Scene.open();
    const lines = (name: string) => workerMain("-n", `${name}@%h`, "-Q", name);
    const python = scene.venv.python;
    const folder = scene.container.folder;
    writeFileSync(join(folder, "input.py"), lines("input").join("\n") + "\n");
    mkdirSync(join(folder, "archive"));
    writeFileSync(join(folder, "archive/__main__.py"), lines("archive").join("\n") + "\n");
    const shell = [
      `cd ${folder}`,
      `${python} - < input.py &`,
      `${python} -c "$CODE" &`,
      `${python} -m zipapp archive -o archive.pyz`,
      `exec -a jobs ${python} archive.pyz`,
    ].join("\n");
    await scene.start(["/bin/bash", "-c", shell], {
      nodes: ["code@%h", "input@%h", "archive@%h"],
      env: { CODE: lines("code").join("\n"), PYTHONPATH: `${WORLD}:${scene.packages}` },
    });
    expectLine(await scene.ask(), 0, /^healthy: alive: 3 nodes \((?:\w+@\w+(?:, )?){3}\) answered in/, 4_900);
  },
);

describe.concurrent("a worker that has ended", () => {
  const isDead = async (scene: Scene, more = "") => {
    // It leaves its bindings behind.
    const worker = await scene.container.startWorker({ server: scene.server, pool: "solo" });
    await worker.killAll();
    const dead = new RegExp(`^unhealthy: dead: ${worker.node} is not running: ${more}`);
    expectLine(await scene.ask([], forgiving), 1, dead, 4_900);
  };

  test("is dead beside Flower", async () => {
    await using scene = await Scene.open({ name: "flower", packages: ["flower==2.0.1"] });
    const flower = await scene.container.start({
      what: "flower",
      command: scene.venv.celery,
      args: () => ["-b", scene.server.url(), "flower", "--address=127.0.0.1", "--port=0"],
      env: (folder) => ({ PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", PYTHONUNBUFFERED: "1" }),
    });
    await flower.waitForLog(/Connected to redis/, { timeoutMs: 30_000 });
    await isDead(scene);
  });

  test("is dead beside a beat, whose own check is named", async () => {
    await using scene = await Scene.open();
    const beat = await startBeat(scene.container, { brokerUrl: scene.server.url() });
    const words = `there is no worker process here, and process ${scene.container.pidInside(beat.pid)} is a beat; hint: .*celery-probe beat`;
    await isDead(scene, words);
  });

  test("is dead beside an exporter and a web process", async () => {
    await using scene = await Scene.open();
    await scene.run(
      "exporter.py",
      [
        "import os",
        "from celery import Celery",
        "app = Celery(broker=os.environ['CELERY_BROKER_URL'])",
        "with app.connection() as connection:",
        "    receiver = app.events.Receiver(connection, handlers={'*': lambda event: None})",
        "    print('is ready.', flush=True)",
        "    receiver.capture(limit=None, timeout=None, wakeup=True)",
      ],
      { until: /is ready/ },
    );
    await scene.run(
      "web.py",
      [
        "import http.server, os, redis",
        "sessions = redis.Redis.from_url(os.environ['CELERY_BROKER_URL'])",
        "sessions.set('session', 'x')",
        "print('is ready.', flush=True)",
        "http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler).serve_forever()",
      ],
      { until: /is ready/ },
    );
    await isDead(scene);
  });
});

describe.concurrent("a worker that only its process shows", () => {
  const titled = (title: string) => [
    "import setproctitle",
    `setproctitle.setproctitle(${JSON.stringify(title)})`,
    ...workerMain(),
  ];
  const titles = async () => ({
    PYTHONPATH: `${WORLD}:${await unpackedPackage("setproctitle", "setproctitle==1.3.7")}`,
  });
  const node = "celery@%h";
  const living = /^(?:healthy: busy|unknown: undecided): /;

  test("and its own title is busy", async () => {
    await using scene = await Scene.open();
    const worker = await scene.run("run.py", titled("celery-worker web"), {
      nodes: [node],
      env: await titles(),
    });
    expectLine(await scene.ask(), 0, /^healthy: alive: /, 2_900);
    await scene.occupy(worker);
    expectLine(await scene.ask(), 0, /^healthy: busy: /, 4_900);
  });

  test("and addresses are translated is not dead: by a title", async () => {
    await using scene = await Scene.open();
    await using proxy = await startProxy(scene.server.port);
    const worker = await scene.run("run.py", titled("celery-worker web"), {
      nodes: [node],
      env: await titles(),
      brokerUrl: proxy.url(),
    });
    await scene.occupy(worker);
    expectLine(await scene.ask([], { CELERY_BROKER_URL: proxy.url() }), 0, /^healthy: busy: /, 4_900);
  });

  test("and addresses are translated is not dead: a fork of a script", async () => {
    await using scene = await Scene.open();
    await using proxy = await startProxy(scene.server.port);
    const lines = [
      "import multiprocessing",
      "from tasks import app",
      "if __name__ == '__main__':",
      "    options = ['worker', '-l', 'INFO', '-P', 'solo']",
      "    worker = multiprocessing.get_context('fork').Process(target=app.worker_main, args=(options,))",
      "    worker.start()",
      "    worker.join()",
    ];
    const worker = await scene.run("run.py", lines, { nodes: [node], brokerUrl: proxy.url() });
    await scene.occupy(worker);
    expect((await scene.ask([], { CELERY_BROKER_URL: proxy.url() })).stdout).toMatch(living);
  });

  test.runIf(IS_ROOT)("and it belongs to another user and may not be examined is not dead", async () => {
    await using scene = await Scene.open();
    // It may read what belongs to this user: the interpreter.
    const may = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
    const user = loneUser(scene.server);
    const behind = ["/usr/bin/setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", ...may, "--"];
    const worker = await scene.run("run.py", titled("celery-worker web"), {
      nodes: [node],
      env: await titles(),
      behind,
    });
    await scene.occupy(worker);
    const blind = ["/usr/bin/setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "--"];
    expect((await scene.ask([], {}, blind)).stdout).toMatch(living);
    // Another user than the worker's sees no more.
    const stranger = ["/usr/bin/setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "--"];
    expect((await scene.ask([], {}, stranger)).stdout).toMatch(living);
  });

  test("and runs in a thread of a web server is alive and busy", async () => {
    await using scene = await Scene.open();
    const lines = [
      "import http.server, threading",
      "from tasks import app",
      "options = ['worker', '-l', 'INFO', '-P', 'solo']",
      "threading.Thread(target=app.worker_main, args=(options,), daemon=True).start()",
      "http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler).serve_forever()",
    ];
    const worker = await scene.run("web.py", lines, { nodes: [node] });
    expectLine(await scene.ask(), 0, /^healthy: alive: /, 2_900);
    await scene.occupy(worker);
    expectLine(await scene.ask(), 0, /^healthy: busy: /, 4_900);
  });
});

test.concurrent.each(["5.7.0", "5.6.3"] as const)(
  "a name with two percent signs follows the rules of Celery %s",
  async (celery) => {
    await using scene = await Scene.open();
    const rule = { "5.7.0": "%h", "5.6.3": `%${scene.container.hostname}` };
    const worker = await scene.container.startWorker({
      server: scene.server,
      celery,
      pool: "solo",
      name: "edx.default@x.%%h",
      until: "ready",
    });
    const full = `edx.default@x.${rule[celery]}`;
    await until("it answers", () => answersPing(scene.server.client(), pidboxChannel(0), full, 1_000));
    const alive = new RegExp(`^healthy: alive: ${full} answered in`);
    expectLine(await scene.ask(), 0, alive, 2_900);
    expectLine(await scene.ask(["--node=edx.default@x.%%h"]), 0, alive, 2_900);
    await worker.submit("nap", 60);
    await worker.waitForLog(/began /);
    expectLine(await scene.ask(), 0, /^healthy: busy: edx.default@x/, 4_900);
  },
);
