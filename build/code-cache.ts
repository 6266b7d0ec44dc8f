import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { startServer } from "../test/world/server.ts";
import { RUNTIME_FLAGS } from "./runtime.ts";

/** A machine that builds may be busy with other things. */
const PATIENT = ["--deadline", "60s", "--connect-timeout", "20s", "--timeout", "20s"];

const WARM = join(import.meta.dirname, "warm");

/**
 * Wraps the bundle as the script that the loader runs.
 *
 * @throws Error where the text is not ASCII: V8 would be given other characters than esbuild wrote
 */
export async function wrapScript(bundle: string, script: string): Promise<void> {
  const text = await readFile(bundle);
  if (text.some((byte) => byte > 127))
    throw new Error("the bundle has characters other than ASCII: expected esbuild to escape them");
  await writeFile(script, `(function (require, CODE_CACHE) {${text.toString("latin1")}})`);
}

/**
 * Runs a healthy check, from the command line to the exit, and keeps what V8 has compiled for it: a real server, a
 * worker that answers, the flags of the executable.
 *
 * @param node the Node that goes into the executable: no other takes the cache
 * @throws Error when the check does not end healthy
 */
export async function warmCodeCache(node: string, script: string, codeCache: string): Promise<void> {
  await using server = await startServer();
  const env = { CELERY_BROKER_URL: server.url() };
  const name = `warm@${hostname()}`;
  // Celery's own command line, which the check is to find; Node takes `worker` for worker.js.
  const worker = spawn(node, ["worker", "-n", name], {
    argv0: "celery",
    cwd: WARM,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await Promise.race([once(worker.stdout, "data"), once(worker, "exit")]);
    const words = [...RUNTIME_FLAGS, join(WARM, "run.ts"), script, codeCache, "--node", name, ...PATIENT];
    await execa(node, words, { env, extendEnv: false });
  } finally {
    worker.kill();
  }
}
