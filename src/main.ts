import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { type Ending, run } from "./app.ts";
import type { Host } from "./host.ts";
import { page } from "./render/speech.ts";
import { procFs } from "./worker/proc-fs.ts";
import { writeFile } from "./write-file.ts";

/** Set by build.mjs from package.json. */
declare const VERSION: string;

const host: Host = {
  argv: process.argv.slice(2),
  env: process.env,
  hostname: hostname(),
  version: VERSION,
  now: () => performance.now(),
  epochSeconds: () => Date.now() / 1_000,
  uuid: randomUUID,
  sha1: (bytes) => createHash("sha1").update(bytes).digest(),
  pause: (ms) => pause(ms),
  connect: async (target, withinMs) => (await import("./broker/redis.ts")).connect(target, withinMs),
  listen: async (...how) => (await import("./broker/redis.ts")).listen(...how),
  proc: procFs,
  writeFile: (path, content) => writeFile(path, content, process.pid),
  interrupted: new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
      process.once(signal, () => {
        resolve(signal);
      });
  }),
};

/** What a process is told that has only to end: see `leave`. */
const END_WITH = "--end-with=";

/**
 * Ends the process. A host name that is still being looked up holds a thread which `process.exit` waits for, past
 * any deadline; replacing the process by one that ends at once does not.
 */
function leave(code: number): never {
  if (process.getActiveResourcesInfo().includes("GetAddrInfoReqWrap")) {
    try {
      process.execve?.(process.execPath, [process.execPath, `${END_WITH}${code}`], {});
    } catch {
      // The file is gone or may not be executed any more: late is better than not at all.
    }
  }
  process.exit(code);
}

/** Writes and ends at once: nothing that is still open, a reader that has gone included, may change what was said. */
function end({ stdout, stderr, exitCode }: Ending): void {
  if (stderr !== "") process.stderr.write(stderr);
  if (stdout !== "") process.stdout.write(stdout);
  leave(exitCode);
}

function crash(error: unknown): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  end({
    stdout: "",
    stderr: page([`celery-probe: internal error, please report it: ${words}`]),
    exitCode: 1,
  });
}

const code = [0, 1].find((number) => host.argv[0] === `${END_WITH}${number}`);
if (code !== undefined) process.exit(code);
process.on("uncaughtException", crash);
run(host).then(end, crash);
