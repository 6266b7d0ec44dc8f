import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { inTerminal, type Kind, type Step } from "../world/terminal.ts";
import { startServer, type Server } from "../world/server.ts";
import { taskMessage } from "../world/task-message.ts";
import { startWorker } from "../world/worker.ts";
import { EXECUTABLE, probe, startProbe } from "./probe.ts";
import { until as untilTrue } from "../world/until.ts";

const TAKEN = "\x1b[?1049h";
const LEFT = "\x1b[?25h\x1b[?1049l";

const SIZE = { columns: 100, rows: 24 };

const watchIn = (
  server: Server,
  steps: readonly Step[],
  size = SIZE,
  args: readonly string[] = [],
  kind: Kind = "alone",
) =>
  inTerminal(
    [EXECUTABLE, "watch", "--broker", server.url(), "--interval", "300ms", ...args],
    { LANG: "C.UTF-8" },
    size,
    steps,
    kind,
  );

/** The pictures of a screen, without colours. */
function pictures(output: string): readonly (readonly string[])[] {
  return output
    .split("\x1b[H")
    .slice(1)
    .map((part) =>
      (part.split("\x1b[J")[0] ?? "")
        .replaceAll("\x1b[K", "")
        .replace(/\x1b\[[\d;]*m/g, "")
        .split("\r\n"),
    );
}

describe.concurrent("on a terminal", () => {
  test.each([
    ["q", ["send", "q"], 0],
    ["Ctrl-C", ["send", "\x03"], 0],
    ["SIGTERM", ["signal", 15], 0],
    ["SIGHUP", ["signal", 1], 0],
    ["SIGINT", ["signal", 2], 0],
    ["SIGQUIT", ["signal", 3], -3],
    ["SIGABRT", ["signal", 6], -6],
    ["SIGUSR2", ["signal", 12], -12],
    ["SIGALRM", ["signal", 14], -14],
  ] as const)("its screen is left as it was by %s", async (_, step, code) => {
    await using server = await startServer();
    const run = await watchIn(server, [["wait", "no worker", 10], step]);
    expect(run.output.indexOf(TAKEN)).toBeGreaterThanOrEqual(0);
    expect(run.output.lastIndexOf(LEFT)).toBeGreaterThan(run.output.lastIndexOf("\x1b[H"));
    expect(run).toMatchObject({ code, restored: true });
  });

  test("its screen is left while it is stopped by Ctrl-Z, and taken again", async () => {
    await using server = await startServer();
    const steps: readonly Step[] = [
      ["wait", "no worker", 10],
      ["send", "\x1a"],
      ["stopped"],
      ["signal", 18],
      ["wait", "1049l.*1049h.*no worker", 10],
      ["send", "q"],
    ];
    const run = await watchIn(server, steps, SIZE, [], "job");
    expect(run).toMatchObject({ code: 0, restored: true });
  });

  test("Ctrl-Z stops nothing if nobody could continue it, as under docker exec", async () => {
    await using server = await startServer();
    const run = await watchIn(server, [
      ["wait", "no worker", 10],
      ["send", "\x1a"],
      ["wait", "1049l.*1049h.*no worker", 10],
      ["send", "q"],
    ]);
    expect(run).toMatchObject({ code: 0, restored: true });
  });

  test("nodes and queues are shown, and fit when the terminal becomes narrow and low", async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server, concurrency: 2 });
    await worker.taskStarted(await worker.submit("nap", 60));
    const { output } = await watchIn(server, [
      ["wait", `${worker.node} .*alive.* 1/2 .* s tasks\\.nap`, 20],
      ["size", 40, 5],
      ["wait", "\\x1b\\[H", 5],
      ["wait", "\\x1b\\[H", 5],
      ["wait", "\\x1b\\[H", 5],
      ["send", "q"],
    ]);
    const shown = pictures(output);
    const wide = shown.find((lines) => lines.some((line) => line.includes("tasks.nap"))) ?? [];
    expect(wide.join("\n")).toMatch(
      /^\d\d:\d\d:\d\d {2}redis:.* 1 node: 1 alive {2}q: quit {2}\?: help\n\nNODE +STATE +ACTIVE +\/S +TOTAL +MEMORY +OLDEST TASK\n/,
    );
    expect(wide.join("\n")).toMatch(/\n\nQUEUE +LENGTH +CONSUMERS +TREND\ncelery +0 +1 +▁+$/);
    const narrow = shown.at(-1) ?? [];
    expect(narrow.length).toBeLessThanOrEqual(5);
    for (const line of narrow) expect(line.length).toBeLessThanOrEqual(40);
    expect(narrow.join("\n")).toContain(worker.node.slice(0, 10));
  });
});

test.concurrent("a growing queue and a full worker are shown", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery: "5.2.7", concurrency: 1 });
  await worker.taskStarted(await worker.submit("nap", 60));
  const redis = server.client();
  const growing = setInterval(
    () => void redis.lpush(worker.queue, taskMessage(worker.queue, "add", [1, 2]).element),
    100,
  );
  const { output } = await watchIn(server, [
    ["wait", `${worker.node} .*alive.* 1/1 .*celery +\\d+ +1 +\\xe2\\x96\\x81.*\\xe2\\x96\\x88`, 20],
    ["send", "q"],
  ]);
  clearInterval(growing);
  redis.disconnect();
  expect(pictures(output).length).toBeGreaterThan(3);
});

test.concurrent("a silent worker is reported, and one without heartbeats is not", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, pool: "gevent" });
  await using quiet = await startWorker({ server, queues: ["other"], args: ["--without-heartbeat"] });
  const running = startProbe([
    ...["watch", "--broker", server.url(), "--interval", "300ms", "--placement", "remote"],
  ]);
  await until(running.stdout, new RegExp(`node ${worker.node} state=alive status=healthy active=0`));
  worker.suspend();
  await until(running.stdout, new RegExp(`node ${worker.node} state=busy status=healthy silent_s=\\d+`));
  await until(running.stdout, new RegExp(`node ${quiet.node} state=alive`));
  worker.resume();
  await until(running.stdout, new RegExp(`node ${worker.node} state=alive`));
  running.kill("SIGTERM");
});

/** Reads on until the words come. */
async function until(stream: NodeJS.ReadableStream, words: RegExp): Promise<void> {
  let seen = "";
  while (!words.test(seen)) {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    seen += chunk.toString();
  }
}

test.concurrent("a worker that comes back with other queues and slots is shown with them", async () => {
  await using server = await startServer();
  const name = "same@world";
  const before = await startWorker({ server, name, queues: ["mials"], concurrency: 1 });
  await before.taskStarted(await before.submit("nap", 0.1));
  const running = startProbe(["watch", "--broker", server.url(), "--interval", "300ms"]);
  await until(running.stdout, /queue mials length=0 consumers=1/);
  await until(running.stdout, /processed=1/);
  await before.stop();
  // A consumer that is gone consumes nothing.
  await until(running.stdout, /queue mials length=0 consumers=0/);
  await using _after = await startWorker({ server, name, queues: ["mails"], concurrency: 4 });
  await until(running.stdout, /node same@world state=alive status=healthy active=0 slots=4/);
  await until(running.stdout, /queue mails length=0 consumers=1/);
  running.kill("SIGTERM");
  await running;
});

test.concurrent("a worker that cannot be asked is asked once, and then rarely", async () => {
  await using server = await startServer();
  const settings = { worker_enable_remote_control: false };
  await using worker = await startWorker({ server, settings, until: "ready" });
  await using _other = await startWorker({ server });
  const monitor = await server.client().monitor();
  const published: string[] = [];
  monitor.on("monitor", (_: string, [command = "", channel = ""]: string[]) => {
    if (/^publish$/i.test(command) && channel.endsWith(".pidbox")) published.push(channel);
  });
  const running = startProbe(["watch", "--broker", server.url(), "--interval", "300ms"]);
  await until(running.stdout, new RegExp(`node ${worker.node} state=alive`));
  await wait(8_000);
  running.kill("SIGTERM");
  await running;
  monitor.disconnect();
  // One ping, and questions for the other worker's pool, queues and tasks.
  expect(published.length).toBeGreaterThan(0);
  expect(published.length).toBeLessThanOrEqual(5);
});

/** Resolves when a program has tried in vain to connect to a port without a server. */
async function triedInVain(port: number): Promise<void> {
  const listener = createServer((socket) => socket.destroy());
  await once(listener.listen(port, "127.0.0.1"), "connection");
  await once(listener.close(), "close");
}

test.concurrent(
  "a broker that goes and comes back is reported, and watch waits for it",
  async ({ expect }) => {
    const server = await startServer();
    const { port } = server;
    const running = watchIn(server, [
      ["wait", "0 nodes", 20],
      ["wait", "broker: .*for \\d+ s", 20],
      ["wait", "\\?: help.{0,8}\\x1b\\[K\\r\\n\\x1b\\[K", 30],
      ["send", "q"],
    ]);
    const redis = server.client();
    await untilTrue("it listens", async () => String(await redis.client("LIST")).includes("cmd=psubscribe"));
    await server.stop();
    await triedInVain(port);
    await using _again = await startServer({ port });
    expect(await running).toMatchObject({ code: 0, restored: true });
  },
);

test.concurrent("--once prints one picture, and ends with 1 without a worker or a broker", async () => {
  await using server = await startServer();
  const words = ["watch", "--once", "--broker", server.url()];
  const nobody = await probe(words);
  expect(nobody.stdout).toMatch(/ 0 nodes\n\nno worker is heard, and none answers$/);
  expect(nobody.exitCode).toBe(1);
  await using worker = await startWorker({ server });
  const one = await probe(words);
  expect(one.stdout).toContain(worker.node);
  expect(one.stdout).not.toContain("\x1b");
  expect(one.exitCode).toBe(0);
  await server.stop();
  const gone = await probe(words);
  expect(gone).toMatchObject({ stdout: "", exitCode: 1 });
  expect(gone.stderr).toMatch(/^celery-probe: .*refused the connection/);
});

test.concurrent("--once shows the oldest running task", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await worker.taskStarted(await worker.submit("nap", 60));
  const { stdout } = await probe(["watch", "--once", "--broker", server.url()]);
  expect(stdout).toMatch(new RegExp(`${worker.node} .* s tasks\\.nap$`, "m"));
});

test.concurrent("lines are appended if stdout is not a terminal, until the reader goes", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const command = `${EXECUTABLE} watch --broker ${server.url()} --interval 300ms | grep -m 3 " node .* processed="`;
  const { stdout } = await execa("/bin/sh", ["-c", command], {
    env: { PATH: "/usr/bin:/bin" },
    extendEnv: false,
  });
  const rows = stdout.split("\n");
  expect(rows).toHaveLength(3);
  expect(rows[2]).toMatch(
    new RegExp(
      `^\\d\\d:\\d\\d:\\d\\d node ${worker.node} state=alive status=healthy active=0 slots=1 (per_s=0\\.0 )?processed=\\d+( memory=\\d+)?$`,
    ),
  );
});

test.concurrent("a change of state is a line at once, whatever the interval", async () => {
  await using server = await startServer();
  const running = startProbe(["watch", "--broker", server.url(), "--interval", "10m", "--placement=remote"]);
  let seen = "";
  running.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  await untilTrue("there is nobody", () => / broker redis:\S+ nodes=0$/m.test(seen));
  const worker = await startWorker({ server });
  const rows = () => [...seen.matchAll(/ node \S+ state=(\S+) status=(\S+)/g)].map(([, state]) => state);
  await untilTrue("it is alive", () => rows().includes("alive"));
  await worker.killAll();
  await untilTrue("it is gone", () => rows().includes("gone"));
  expect(rows()).toEqual(["alive", "gone"]);
  await server.stop();
  await untilTrue("the broker is away", () => / broker \S+ trouble=/.test(seen));
  expect(rows()).toHaveLength(2);
  running.kill("SIGTERM");
  await running;
});

test.concurrent("the first lines do not wait for a long interval", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const running = startProbe(["watch", "--broker", server.url(), "--interval", "10m"]);
  await until(running.stdout, new RegExp(`node ${worker.node} state=alive`));
  running.kill("SIGTERM");
  await running;
});

test.concurrent("a line says that no worker is there", async () => {
  await using server = await startServer();
  const running = startProbe(["watch", "--broker", server.url(), "--interval", "10m"]);
  await until(
    running.stdout,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d broker redis://127\\.0\\.0\\.1:${server.port}/0 nodes=0\n$`),
  );
  running.kill("SIGTERM");
  await running;
});

test.concurrent("SIGTERM ends it", async () => {
  await using server = await startServer();
  await using _worker = await startWorker({ server });
  const running = startProbe(["watch", "--broker", server.url(), "--interval", "100ms"]);
  await once(running.stdout, "data");
  running.kill("SIGTERM");
  expect((await running).exitCode).toBe(0);
});

test.concurrent(
  "heartbeats are its source: it pings once, and leaves only keys that expire in Redis",
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    const redis = server.client();
    const keys = async () => (await redis.keys("*")).length;
    const before = await keys();
    await redis.config("RESETSTAT");
    await watchIn(server, [
      ["wait", worker.node, 20],
      ["times", "\x1b[H", 25],
      ["send", "q"],
    ]);
    const stats = await redis.info("commandstats");
    const published = Number(/cmdstat_publish:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    const beats = 4;
    // One each: ping, stats, active_queues, active.
    expect(published).toBeLessThanOrEqual(4 + beats);
    for (const key of await redis.keys("*")) {
      if (key.includes(".reply.")) expect(await redis.ttl(key), key).toBeGreaterThan(0);
    }
    expect(await keys()).toBeLessThanOrEqual(before + 4);
  },
);
