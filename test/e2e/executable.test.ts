import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { findPython } from "../world/python.ts";
import { startServer } from "../world/server.ts";
import { BY_BUN, EXECUTABLE, expectLine, probe, startProbe } from "./probe.ts";

const { url, workers } = inject("canaries");
const node = workers[0]?.node ?? "";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-probe-executable-"));
});
afterAll(() => rm(folder, { recursive: true }));

const ALIVE = /^healthy: alive: \S+ answered in \d+ ms$/;
const ask = (env: Record<string, string>) => probe(["--node", node], { CELERY_BROKER_URL: url, ...env });

test("the executable works when its environment holds only the broker", async () => {
  expectLine(await ask({}), 0, ALIVE, 1_500);
});

test.each([
  ["--require /nowhere.cjs"],
  ["--bogus-option"],
  ["--inspect-brk=127.0.0.1:0"],
  ["--max-old-space-size=1"],
])("NODE_OPTIONS=%s of the container does not reach it", async (options) => {
  expectLine(await ask({ NODE_OPTIONS: options }), 0, ALIVE, 1_500);
});

test("NODE_EXTRA_CA_CERTS of the container has no effect on it", async () => {
  writeFileSync(join(folder, "broken.pem"), "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n");
  for (const file of ["/nowhere.pem", join(folder, "broken.pem")]) {
    expectLine(await ask({ NODE_EXTRA_CA_CERTS: file }), 0, ALIVE, 1_500);
  }
});

test.each([
  ["DEBUG", "*"],
  ["OPENSSL_CONF", "/etc/passwd"],
  ["NODE_PENDING_DEPRECATION", "1"],
  ["SSL_CERT_FILE", "/nowhere.pem"],
])("%s=%s does not change what it prints", async (name, value) => {
  expectLine(await ask({ [name]: value }), 0, ALIVE, 1_500);
});

// Variables that Bun's runtime would read: `--version` would end with 0, BUN_BE_BUN makes the file the `bun` command.
test.each([
  ["BUN_OPTIONS", "--version"],
  ["BUN_OPTIONS", "--preload /nowhere.cjs"],
  ["BUN_BE_BUN", "1"],
  ["BUN_INSPECT", "ws://127.0.0.1:0/?break=1"],
])("%s=%s of the container does not reach it", async (name, value) => {
  expectLine(await ask({ [name]: value }), 0, ALIVE, 1_500);
});

test("it leaves nothing in its folder and reads nothing there when it runs", async () => {
  // The environment does not have this variable, because a file's value would not replace an existing one.
  writeFileSync(join(folder, ".env"), "CELERY_PROBE_BROKER=redis://127.0.0.1:1/0\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./nowhere.ts"]\n');
  writeFileSync(join(folder, "package.json"), "{");
  writeFileSync(join(folder, "tsconfig.json"), "{");
  const { exitCode } = await execa(EXECUTABLE, ["--node", node], {
    cwd: folder,
    env: { CELERY_BROKER_URL: url, HOME: folder, TMPDIR: folder },
    extendEnv: false,
    reject: false,
  });
  expect(exitCode).toBe(0);
  const { stdout } = await execa("ls", ["-A", folder]);
  expect(stdout.split("\n").sort()).toEqual([
    ".env",
    "broken.pem",
    "bunfig.toml",
    "package.json",
    "tsconfig.json",
  ]);
});

test.each(["closed", "full of nothing"])("it ends with its verdict when stdout is %s", async (state) => {
  const redirect = state === "closed" ? ">&-" : "| true";
  const script = `"$0" --node "$1" --verbose ${redirect}; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = await execa("bash", ["-c", script, EXECUTABLE, node], {
    env: { CELERY_BROKER_URL: url },
  });
  expect(stdout).toBe("0");
});

test.each([
  ["a verdict stands", ["--node"], 0],
  ["a short text is lost", ["--version"], 1],
  ["a long text is lost", ["completion", "bash"], 1],
] as const)("where stdout is full %s, and it is said", async (_, words, code) => {
  const args = words[0] === "--node" ? [...words, node] : words;
  const script = `exec "$0" "$@" >/dev/full`;
  const full = await execa("bash", ["-c", script, EXECUTABLE, ...args], {
    env: { CELERY_BROKER_URL: url },
    reject: false,
  });
  expect(full.stderr).toBe("celery-probe: stdout could not be written: ENOSPC");
  expect(full.exitCode).toBe(code);
});

test("it ends with its verdict when its reader has gone before it writes", async () => {
  const child = spawn(EXECUTABLE, ["--node", node], {
    env: { CELERY_BROKER_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  child.stderr.destroy();
  expect(await once(child, "exit")).toEqual([0, null]);
});

const STALLED = join(import.meta.dirname, "../world/stalled_reader.py");

/** Runs the executable with a full pipe. Returns how it ended and what the reader received. */
async function intoFullPipe(fd: 1 | 2, drain: string, ...words: readonly string[]): Promise<string> {
  const { path } = await findPython();
  const args = [STALLED, String(fd), drain, "10", EXECUTABLE, ...words];
  const { stdout } = await execa(path, args, { env: { CELERY_BROKER_URL: url }, stdin: "ignore" });
  return stdout;
}

test("it ends with its verdict when its reader does not read", async () => {
  expect(await intoFullPipe(1, "never", "--node", node)).toBe("0 ");
  expect(await intoFullPipe(2, "never", "--node")).toBe("1 ");
});

test("it waits a moment for a slow reader", async () => {
  // The reader's clock begins at the program's start. The start takes this long if nothing delays it.
  const starts: number[] = [];
  for (let n = 0; n < 5; n++) {
    const began = performance.now();
    await probe(["--version"]);
    starts.push(performance.now() - began);
  }
  const drain = (Math.min(...starts) + 20) / 1_000;
  expect(await intoFullPipe(1, String(drain), "--version")).toBe("0 celery-probe 0.1.0");
});

test("it starts no thread that it does not need", async () => {
  await using server = await startServer();
  server.pause();
  const running = startProbe(["--node", node], { CELERY_BROKER_URL: server.url() });
  let isRunning = true;
  void running.then(() => (isRunning = false));
  let threads = 0;
  while (isRunning) {
    const tasks = await readdir(`/proc/${running.pid}/task`).catch(() => []);
    threads = Math.max(threads, tasks.length);
    await pause(20);
  }
  // The main thread, and two of Node's.
  expect(threads).toBeGreaterThan(0);
  expect(threads).toBeLessThanOrEqual(BY_BUN ? 20 : 3);
});
