import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { parseExposition } from "../serve/exposition.ts";
import { got, opened, rest, said } from "../serve/raw-client.ts";
import { probeTimes } from "../serve/slow-clients.ts";
import { certificates } from "../world/certificates.ts";
import { celeryControl } from "../world/control-command.ts";
import { celeryVenv } from "../world/python.ts";
import { type Server, startServer } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";
import { probe, startProbe } from "./probe.ts";
import { startServe } from "./start-serve.ts";

const on = (server: Server, ...more: readonly string[]) => startServe(["--broker", server.url(), ...more]);

describe.concurrent("a fleet", () => {
  test("of a healthy worker is shown to probes, Prometheus, programs and browsers", async ({ expect }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, concurrency: 2 });
    await using serve = await on(server);
    await expect.poll(() => serve.status("/readyz")).toBe(200);
    expect(await serve.text(`/livez/${encodeURIComponent(worker.node)}`)).toMatch(
      new RegExp(`^healthy: alive: ${worker.node}: .*\\n$`),
    );
    for (const path of ["/livez", "/readyz", "/health", "/fleet?min=1"])
      expect(await serve.status(path), path).toBe(200);
    expect(await serve.status("/fleet?min=2")).toBe(503);
    expect(await serve.status("/livez/celery@nobody")).toBe(404);
    for (const [accept, format] of [
      ["text/plain", "text"],
      ["application/openmetrics-text;version=1.0.0", "openmetrics"],
    ] as const) {
      const scraped = await serve.get("/metrics", { accept });
      const series = parseExposition(await scraped.text(), format);
      const up = series.find(
        ({ name, labels }) => name === "celery_worker_up" && labels["worker"] === worker.node,
      );
      expect(up?.value).toBe(1);
      expect(series.find(({ name }) => name === "process_resident_memory_bytes")?.value).toBeGreaterThan(
        10_000_000,
      );
    }
    expect(await (await serve.get(`/api/v1/workers/${worker.node}`)).json()).toMatchObject({
      schema: 1,
      node: worker.node,
      status: "healthy",
      slots: 2,
    });
    expect(await (await serve.get(`/api/v1/queues/${worker.queue}`)).json()).toMatchObject({
      length: 0,
      consumers: 1,
    });
    const page = await serve.get("/");
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    expect(await page.text()).toMatch(/^<!doctype html>/i);
    await expect.poll(serve.log).toMatch(/^\S+Z 1 worker of \S+: 1 healthy, 0 unhealthy, 0 unknown$/m);
  });

  test("is sent to a stream as it changes", async ({ expect }) => {
    await using server = await startServer();
    await using serve = await on(server);
    const stream = await opened(serve.port);
    stream.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    let heard = "";
    stream.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    await expect
      .poll(() => heard)
      .toMatch(/content-type: text\/event-stream[^]*event: fleet\ndata: \{"workers":/);
    await using worker = await startWorker({ server });
    await expect.poll(() => heard).toContain(`"node":"${worker.node}","local":`);
    stream.destroy();
  });

  test("has one worker less when it is killed, and the log says so", async ({ expect }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    await using serve = await on(server, "--placement", "remote");
    await expect.poll(() => serve.status("/readyz")).toBe(200);
    expect(await serve.status(`/livez/${worker.node}`)).toBe(200);
    await worker.killAll();
    await expect.poll(() => serve.status(`/livez/${worker.node}`), { timeout: 15_000 }).toBe(503);
    await expect.poll(serve.log).toMatch(new RegExp(`^\\S+Z unhealthy: gone: ${worker.node}: `, "m"));
    expect(await serve.status("/livez")).toBe(200);
  });

  test("answers 200 for a solo worker that has been in a task since before serve began", async ({
    expect,
  }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, pool: "solo" });
    await worker.taskStarted(await worker.submit("sleep_in_c", 60));
    await using serve = await on(server, "--placement", "remote");
    await expect.poll(() => serve.status("/readyz")).toBe(200);
    await expect.poll(() => serve.status(`/livez/${worker.node}`)).toBe(200);
    expect(await serve.text(`/livez/${worker.node}`)).toMatch(
      /^unknown: undecided: \S+: it was not heard, and may be the worker that is subscribed and has told no name\n$/,
    );
    expect(await serve.status(`/readyz/${worker.node}`)).toBe(503);
  });

  test("has a queue without a consumer as soon as its consumer is cancelled, and the worker says so", async ({
    expect,
  }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    await using serve = await on(server);
    await expect.poll(() => serve.status(`/readyz/${worker.node}`)).toBe(200);
    const venv = await celeryVenv("5.7.0");
    await celeryControl(venv, server.url(), worker.node, "cancel_consumer", worker.queue);
    await worker.submit("add", 1, 2);
    await expect
      .poll(() => serve.text(`/readyz/${worker.node}`), { timeout: 8_000 })
      .toBe(
        `unhealthy: not-consuming: ${worker.node}: it answers and consumes no queue, and 1 message waits in ` +
          `${worker.queue}; hint: celery control -d ${worker.node} add_consumer ${worker.queue} adds it, a restart does too\n`,
      );
    expect(await (await serve.get(`/api/v1/queues/${worker.queue}`)).json()).toMatchObject({
      length: 1,
      consumers: 0,
    });
    await celeryControl(venv, server.url(), worker.node, "add_consumer", worker.queue);
    await expect.poll(() => serve.status(`/readyz/${worker.node}`), { timeout: 8_000 }).toBe(200);
  });

  test("is not restarted by an outage of the broker, and serve survives it", async ({ expect }) => {
    const server = await startServer();
    const { port } = server;
    await using worker = await startWorker({ server });
    await using serve = await on(server, "--placement", "remote");
    await expect.poll(() => serve.status("/readyz")).toBe(200);
    await server.stop();
    await expect.poll(() => serve.status("/readyz")).toBe(503);
    expect(await serve.text("/readyz")).toMatch(
      /^unknown: broker-unreachable: .*(?:closed|refused) the connection.*; hint: /,
    );
    for (const path of [`/livez/${worker.node}`, "/livez/celery@nobody", "/livez", "/livez/local"])
      expect(await serve.status(path), path).toBe(200);
    // The last answer stays valid for some seconds.
    await expect.poll(() => serve.status(`/readyz/${worker.node}`)).toBe(503);
    expect(await serve.status(`/livez/${worker.node}`)).toBe(200);
    expect(await serve.text("/metrics")).toMatch(/^celery_probe_broker_up 0$/m);
    await using _again = await startServer({ port });
    await expect.poll(() => serve.status("/readyz"), { timeout: 40_000 }).toBe(200);
    expect(await serve.text("/metrics")).toMatch(/^celery_probe_broker_up 1$/m);
    await expect.poll(() => serve.log().match(/ broker: /g)).toHaveLength(2);
  });

  test("has no unhealthy worker if the broker was never there", async ({ expect }) => {
    await using serve = await startServe(["--broker", "redis://127.0.0.1:1/0"]);
    await expect.poll(() => serve.text("/readyz")).toMatch(/refused the connection/);
    expect(await serve.status("/livez/celery@web-1")).toBe(200);
    expect(await serve.status("/readyz/celery@web-1")).toBe(503);
    expect(existsSync(`/proc/${serve.running.pid ?? 0}`)).toBe(true);
  });
});

test.concurrent(
  "no argument, no result and no password is shown, in answers or in the log",
  async ({ expect }) => {
    await using server = await startServer({ password: "pass-word" });
    await using worker = await startWorker({ server });
    await worker.taskStarted(await worker.submit("nap", 60.123456));
    await using serve = await on(server, "--http-token-file", tokenFile(0o600));
    const headers = { authorization: `Bearer ${TOKEN}` };
    await expect
      .poll(async () => (await serve.get("/api/v1/workers", headers)).text())
      .toContain("tasks.nap");
    for (const path of [
      "/",
      "/metrics",
      "/api/v1/workers",
      "/api/v1/queues",
      "/readyz",
      `/livez/${worker.node}`,
    ]) {
      const text = await (await serve.get(path, headers)).text();
      for (const secret of ["pass-word", TOKEN, "60.123456"]) expect(text, path).not.toContain(secret);
    }
    expect(serve.log()).not.toMatch(/pass-word|60\.123456/);
    expect((await serve.get("/metrics")).status).toBe(401);
    await expect.poll(async () => (await serve.get("/readyz")).status).toBe(200);
  },
);

const TOKEN = "0123456789abcdef-e2e";

function tokenFile(mode: number): string {
  const path = join(mkdtempSync(join(tmpdir(), "token-")), "token");
  writeFileSync(path, `${TOKEN}\n`);
  chmodSync(path, mode);
  return path;
}

test.concurrent("the reason why it cannot listen is one line with exit code 1", async ({ expect }) => {
  await using server = await startServer();
  await using serve = await on(server);
  const ended = (...args: readonly string[]) => probe(["serve", "--broker", server.url(), ...args]);
  const readable = tokenFile(0o644);
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [[`--listen=127.0.0.1:${serve.port}`], `--listen '127.0.0.1:${serve.port}' is in use by another program`],
    [
      ["--listen=192.0.2.1:9540"],
      "--listen '192.0.2.1:9540' is not an address of this machine (EADDRNOTAVAIL)",
    ],
    [["--listen=somewhere"], "--listen 'somewhere' is not an address"],
    [["--listen=/none/x.sock"], "--listen '/none/x.sock' is in a folder that does not exist"],
    [["--listen=/etc/hostname"], "--listen '/etc/hostname' is a file, not a socket"],
    [
      [`--http-token-file=${readable}`],
      `--http-token-file '${readable}' can be read by every user (mode 0644)`,
    ],
    [["--http-token-file=/none"], "--http-token-file '/none' cannot be read (ENOENT)"],
    [["--http-cert=/none"], "--http-cert '/none' cannot be read (ENOENT)"],
    [[`--http-cert=${readable}`], "--http-cert and --http-key cannot be used ("],
  ];
  for (const [args, line] of cases) {
    const { exitCode, stdout, stderr } = await ended(...args);
    expect({ exitCode, stdout }, line).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^celery-probe: [^\n]+$/);
    expect(stderr.slice("celery-probe: ".length)).toContain(line);
  }
});

test.concurrent("by default only this machine can reach it", async ({ expect }) => {
  const running = startProbe(["serve", "--broker", "redis://127.0.0.1:1/0"]);
  const [chunk] = (await once(running.stdout, "data")) as [Buffer];
  expect(chunk.toString()).toMatch(/^listening on http:\/\/127\.0\.0\.1:9540\n/);
  const rows =
    readFileSync(`/proc/${running.pid ?? 0}/net/tcp`, "latin1") +
    readFileSync("/proc/self/net/tcp6", "latin1");
  const listening = [...rows.matchAll(/ ([\dA-F]+):2544 \S+ 0A /g)].map(([, address]) => address);
  expect(listening).toEqual(["0100007F"]);
  running.kill("SIGTERM");
  await running;
});

test.concurrent("the executable itself can ask it, in a container without curl", async ({ expect }) => {
  const { server: shown } = await certificates();
  const { certificate, key } = shown.good;
  const path = join(mkdtempSync(join(tmpdir(), "asked-")), "probe.sock");
  const where = [
    ["--listen", "127.0.0.1:0"],
    ["--listen", path],
    ["--listen", "127.0.0.1:0", `--http-cert=${certificate}`, `--http-key=${key}`],
  ];
  for (const words of where) {
    await using serve = await startServe(["--broker=redis://127.0.0.1:1/0", ...words]);
    const there = words.map((word) => word.replace(/:0$/, `:${serve.port}`));
    const asked = (target: string) => probe(["serve", ...there, "--ask", target]);
    expect(await asked("/livez"), words.join(" ")).toMatchObject({
      ...{ exitCode: 0, stdout: "healthy: celery-probe is running", stderr: "" },
    });
    await expect
      .poll(async () => (await asked("/readyz")).stdout)
      .toMatch(/^unknown: broker-unreachable: [^\n]+$/);
    expect((await asked("/readyz")).exitCode).toBe(1);
    expect((await asked("/fleet?min=1")).exitCode).toBe(1);
  }
  // All addresses of this machine include its loopback.
  await using everywhere = await startServe(["--broker=redis://127.0.0.1:1/0", "--listen", "0.0.0.0:0"]);
  const env = { CELERY_PROBE_LISTEN: `0.0.0.0:${everywhere.port}` };
  expect((await probe(["serve", "--ask", "/livez"], env)).exitCode).toBe(0);
  for (const [words, line] of [
    [
      ["--ask=/livez", "--listen=127.0.0.1:1"],
      "no serve answers at 127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1)",
    ],
    [["--ask=/livez", "--listen=127.0.0.1:0"], "--ask needs to know the port"],
    [["--ask=livez"], "--ask 'livez' is not a path of serve"],
    [["--ask=http://127.0.0.1:9540/events"], "--ask 'http://127.0.0.1:9540/events' is not a path of serve"],
    [["--ask=/events"], "--ask '/events' gives no verdict: expected /livez, "],
  ] as const) {
    const { exitCode, stdout, stderr } = await probe(["serve", ...words]);
    expect({ exitCode, stdout }, line).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^celery-probe: [^\n]+\n?$/);
    expect(stderr).toContain(line);
  }
});

test.concurrent("HTTPS uses the certificate of its file", async ({ expect }) => {
  const { ca, server: shown } = await certificates();
  const { certificate, key } = shown.good;
  await using serve = await startServe([
    "--broker=redis://127.0.0.1:1/0",
    `--http-cert=${certificate}`,
    `--http-key=${key}`,
  ]);
  expect(serve.shown).toBe(`https://127.0.0.1:${serve.port}`);
  // This connection is not kept open: the silent ones below would take its place.
  const where = { host: "127.0.0.1", port: serve.port, path: "/livez", ca: readFileSync(ca), agent: false };
  const asked = request(where).end();
  const [response] = (await once(asked, "response")) as [{ statusCode: number; resume: () => void }];
  response.resume();
  expect(response.statusCode).toBe(200);
  // A client without TLS gets no answer, and does not keep the others out.
  const silent = await Promise.all(Array.from({ length: 80 }, () => opened(serve.port)));
  const again = request(where).end();
  const [later] = (await once(again, "response")) as [{ statusCode: number; resume: () => void }];
  later.resume();
  expect(later.statusCode).toBe(200);
  for (const socket of silent) socket.destroy();
});

test.concurrent(
  "SIGTERM ends it within a second with open connections and streams, and its socket is gone",
  async ({ expect }) => {
    const path = join(mkdtempSync(join(tmpdir(), "serve-")), "probe.sock");
    await using serve = await startServe(["--broker=redis://127.0.0.1:1/0", "--listen", path]);
    expect(serve.shown).toBe(`unix:${path}`);
    expect(await got(path, "/livez")).toMatch(/^HTTP\/1\.1 200 /);
    const idle = await Promise.all(Array.from({ length: 20 }, () => opened(path)));
    const stream = await opened(path);
    stream.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(stream, "data");
    const half = await opened(path);
    half.write("GET /met");
    const started = performance.now();
    serve.running.kill("SIGTERM");
    const { exitCode, stderr } = await serve.running;
    expect(performance.now() - started).toBeLessThan(1_000);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(existsSync(path)).toBe(false);
    for (const socket of [...idle, stream, half]) socket.destroy();
  },
);

test("of this container's workers, a stopped one fails its probe until it continues, and one that its task blocks does not", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, pool: "solo" });
  await using serve = await on(server, "--node", worker.node);
  await expect.poll(() => serve.status("/health/local"), { timeout: 30_000 }).toBe(200);
  await worker.taskStarted(await worker.submit("nap", 12));
  for (let look = 0; look < 10; look += 1) {
    expect(await serve.status("/livez/local"), await serve.text("/livez/local")).toBe(200);
    await wait(500);
  }
  worker.suspend();
  await expect.poll(() => serve.status("/livez/local"), { timeout: 30_000 }).toBe(503);
  expect(await serve.text("/livez/local")).toMatch(
    new RegExp(`^unhealthy: stopped: ${worker.node}.*; hint: `),
  );
  worker.resume();
  await expect.poll(() => serve.status("/livez/local"), { timeout: 30_000 }).toBe(200);
});

describe("hostile clients", () => {
  test("get a short answer or none, and cost no memory", async () => {
    await using serve = await startServe(["--broker=redis://127.0.0.1:1/0"]);
    const residentMb = () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${serve.running.pid ?? 0}/status`, "latin1"))?.[1]) /
      1_000;
    const head = "GET /livez HTTP/1.1\r\nHost: x\r\n";
    const hostile = [
      `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\n\r\n`,
      `${head}${"a: b\r\n".repeat(100_000)}\r\n`,
      `${head}Cookie: ${"c".repeat(1_000_000)}\r\n\r\n`,
      "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n",
      "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
      `${"\0".repeat(100_000)}\r\n\r\n`,
    ];
    for (const bytes of hostile) await said(serve.port, bytes);
    const before = residentMb();
    for (let round = 0; round < 100; round += 1) {
      const answers = await Promise.all(hostile.map((bytes) => said(serve.port, bytes)));
      for (const text of answers) expect(text.length).toBeLessThan(500);
    }
    for (let burst = 0; burst < 10; burst += 1) {
      const sockets = await Promise.all(Array.from({ length: 1_000 }, () => opened(serve.port)));
      for (const socket of sockets) socket.destroy();
    }
    expect(await serve.status("/livez")).toBe(200);
    expect(residentMb() - before).toBeLessThan(40);
  });

  test("that keep 64 connections open keep no probe out and delay none", async () => {
    await using serve = await startServe(["--broker=redis://127.0.0.1:1/0"]);
    const times = await probeTimes(serve.port, 400);
    // Other programs use the machine too. kubelet waits for 1 s.
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(20);
    expect(times.at(-1)).toBeLessThan(1_000);
  });

  test("that send a head byte by byte lose their connection within 8 s", async () => {
    await using serve = await startServe(["--broker=redis://127.0.0.1:1/0"]);
    const slow = await opened(serve.port);
    slow.write("GET /livez HTTP/1.1\r\nHost: ");
    const typing = setInterval(() => slow.write("x"), 500);
    const started = performance.now();
    // Bun sends no answer.
    expect(await rest(slow)).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
    expect(performance.now() - started).toBeLessThan(8_000);
    clearInterval(typing);
  });
});
