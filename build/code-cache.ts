import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { startContainer } from "../test/world/container.ts";
import { type GroupOptions, ProcessGroup } from "../test/world/process-group.ts";
import { startServer } from "../test/world/server.ts";
import { RUNTIME_FLAGS, SAME_HASHES } from "./runtime.ts";

/** The machine may be busy with other work. */
const PATIENT = ["--deadline", "60s", "--connect-timeout", "20s", "--timeout", "20s"];

const WARM = join(import.meta.dirname, "warm");

/**
 * Wraps the bundle as the script that the loader runs.
 *
 * @throws Error if the text is not ASCII. V8 would then get other characters than esbuild wrote
 */
export async function wrapScript(bundle: string, script: string): Promise<void> {
  const text = await readFile(bundle);
  if (text.some((byte) => byte > 127))
    throw new Error("the bundle has characters other than ASCII: expected esbuild to escape them");
  await writeFile(script, `(function (require, CODE_CACHE) {${text.toString("latin1")}})`);
}

/**
 * Runs a healthy check, from the command line to the exit, and keeps what V8 has compiled for it. The check has a real
 * server, a worker that answers, and the executable's flags.
 *
 * @param command starts the Node that goes into the executable, as an absolute path. No other Node accepts the cache
 * @throws Error if the check does not end healthy
 */
export async function warmCodeCache(
  command: readonly string[],
  script: string,
  codeCache: string,
): Promise<void> {
  const [program = "", ...words] = command;
  await using server = await startServer();
  await using place = await quietPlace();
  const env = { CELERY_BROKER_URL: server.url() };
  const name = `warm@${place.hostname}`;
  // Celery's own command line, which the check must find. Node reads `worker` as worker.js.
  const worker = await place.start({
    what: "warm",
    command: "/bin/sh",
    args: (folder) => [
      ...["-c", 'cd "$0" && ln -s "$1" "$2" && shift && exec "$@"'],
      ...[WARM, process.execPath, join(folder, "celery"), "worker", "-n", name],
    ],
    env: () => ({ ...env, PATH: "/usr/bin:/bin" }),
  });
  try {
    await worker.waitForLog(/^ready$/m);
    const run = [join(WARM, "run.ts"), script, codeCache, "--node", name, ...PATIENT];
    const ended = await place.run(program, [...words, ...RUNTIME_FLAGS, SAME_HASHES, ...run], env);
    if (ended.exitCode !== 0) throw new Error(`a healthy check failed: ${ended.stdout}${ended.stderr}`);
  } finally {
    await worker.stop(0);
  }
}

/**
 * A container, because the other processes of a machine decide which code reads command lines. In the build of a
 * container, where namespaces are forbidden, it is this machine. The cache may then differ from one build to the next.
 */
async function quietPlace() {
  try {
    return await startContainer({ hostname: "warm" });
  } catch {
    return {
      hostname: hostname(),
      start: (options: GroupOptions) => ProcessGroup.start(options),
      run: (command: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
        execa(command, args, { env, extendEnv: false, reject: false }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
}
