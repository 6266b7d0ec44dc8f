import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { type Ending, run } from "./app.ts";
import type { Host } from "./host.ts";
import { page } from "./render/speech.ts";

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
  interrupted: new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
      process.once(signal, () => {
        resolve(signal);
      });
  }),
};

/** Writes and ends at once: nothing that is still open may keep the process, or change what it said. */
function end({ stdout, stderr, exitCode }: Ending): void {
  // A reader that has gone away changes nothing about the worker's health.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(exitCode));
  if (stderr !== "") process.stderr.write(stderr);
  if (stdout !== "") process.stdout.write(stdout);
  process.exit(exitCode);
}

function crash(error: unknown): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  end({
    stdout: "",
    stderr: page([`celery-probe: internal error, please report it: ${words}`]),
    exitCode: 1,
  });
}

process.on("uncaughtException", crash);
run(host).then(end, crash);
