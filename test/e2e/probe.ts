import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { Server } from "../world/server.ts";
import { startStopwatch } from "../world/stopwatch.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The packaged executable, or the one in EXECUTABLE_UNDER_TEST, relative to the project's root. */
export const EXECUTABLE = join(ROOT, process.env["EXECUTABLE_UNDER_TEST"] ?? "dist/celery-probe");
if (!existsSync(EXECUTABLE))
  throw new Error(`${EXECUTABLE} is not there: CONTRIBUTING.md says what makes it`);
if (changedAt(join(ROOT, "src")) > statSync(EXECUTABLE).mtimeMs)
  throw new Error(`${EXECUTABLE} is older than src/: CONTRIBUTING.md says what makes it`);

/** The last time that a file below a folder changed, in milliseconds. */
function changedAt(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

/** Whether it is the one for musl. */
export const FOR_MUSL = EXECUTABLE.endsWith("-musl/celery-probe");

/** Whether Bun has compiled it; docs/bun.md lists what it does differently. */
export const BY_BUN = FOR_MUSL || EXECUTABLE.endsWith("-bun");

/** How a run of the executable ended. */
export interface Probed {
  /** undefined: a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end, by {@link startStopwatch}. */
  readonly ms: number;
}

/** Starts the packaged executable with only `env` as its environment. */
export function startProbe(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const elapsedMs = startStopwatch();
  const running = execa(EXECUTABLE, args, { env, extendEnv: false, reject: false, stdin: "ignore" });
  stopwatches.set(running, elapsedMs);
  return running;
}

const stopwatches = new WeakMap<object, () => number>();

/** Waits for a probe that was started. */
export async function ending(running: ReturnType<typeof startProbe>): Promise<Probed> {
  const { exitCode, stdout, stderr, durationMs } = await running;
  // It may have ended before this wait began.
  const ms = Math.min(durationMs, stopwatches.get(running)?.() ?? Infinity);
  return { exitCode, stdout, stderr, ms };
}

export function probe(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Probed> {
  return ending(startProbe(args, env));
}

/**
 * Probes `node` on `server`, like in a container with the broker in its environment. Whatever the verdict, every key of
 * ours must expire afterwards.
 */
export async function probeNode(server: Server, node: string, ...more: readonly string[]): Promise<Probed> {
  const probed = await probe(["--node", node, ...more], { CELERY_BROKER_URL: server.url() });
  for (const { key, ttl } of await keysOfOurs(server)) expect(ttl, key).toBeGreaterThan(80_000);
  return probed;
}

/** Checks what every run must do: print one line, exit with the matching code, print nothing on stderr, end in time. */
export function expectLine(probed: Probed, exitCode: 0 | 1, line: RegExp, withinMs: number): void {
  expect(probed.stderr).toBe("");
  expect(probed.stdout).toMatch(line);
  expect(probed.stdout).not.toContain("\n");
  expect(probed.exitCode).toBe(exitCode);
  expect(probed.ms).toBeLessThan(withinMs);
}

/** Our keys in the database, each with its time to live in seconds. */
export async function keysOfOurs(server: Server): Promise<{ key: string; ttl: number }[]> {
  const redis = server.client();
  const keys = (await redis.keys("*.reply.celery.pidbox")).sort();
  const found = await Promise.all(keys.map(async (key) => ({ key, ttl: await redis.ttl(key) })));
  redis.disconnect();
  return found;
}

/** Checks that all probes so far have left `count` keys, and that each of them expires. */
export async function expectOurKeys(server: Server, count: number): Promise<void> {
  const keys = await keysOfOurs(server);
  expect(keys).toHaveLength(count);
  for (const { ttl } of keys) expect(ttl).toBeGreaterThan(80_000);
}
