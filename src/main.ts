import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { v4 as randomUuid } from "uuid";
import { run } from "./app.ts";
import type { Ending } from "./commands/command.ts";
import type { Host } from "./host.ts";
import { readFile, removeFile, replaceFile, writeAll } from "./machine/regular-file.ts";
import { success } from "./outcome.ts";
import { page } from "./render/gate.ts";
import { procFs } from "./worker/proc-fs.ts";

/** Set by build.mjs from package.json. */
declare const VERSION: string;

/** The commit that it was built from; set by build.mjs too. */
declare const COMMIT: string;

/** Whether V8 took the code that was compiled when the executable was built; set by its loader, in no other build. */
declare const CODE_CACHE: "used" | "rejected" | undefined;

/** `performance.now()` counts from the same moment, and loads ten modules of Node's. */
const now = () => process.uptime() * 1_000;

const MACHINE = { env: process.env, now };

/** Signals that end the process. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

const host: Host = {
  argv: process.argv.slice(2),
  env: process.env,
  hostname: hostname(),
  version: VERSION,
  runtime: runtime(),
  now,
  epochSeconds: () => Date.now() / 1_000,
  uuid: () => randomUuid({ random: ticketBytes() }),
  pause: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, Math.max(0, ms));
    }),
  connect: async (target, withinMs) => (await import("./broker/redis.ts")).connect(target, withinMs, MACHINE),
  listen: async (...how) => (await import("./broker/redis.ts")).listen(...how, MACHINE),
  addressesOf: async (...how) => (await import("./machine/names.ts")).addressesOf(...how),
  proc: procFs(now),
  readFile(path, most, links) {
    const content = readFile(path, most, links);
    return content.ok ? success(content.value.toString("utf8")) : content;
  },
  writeFile: (path, content) =>
    content === null
      ? removeFile(path)
      : replaceFile(path, host.uuid(), 0o644, (fd) => {
          writeAll(fd, Buffer.from(content));
        }),
  files: async () => (await import("./machine/files.ts")).files,
  web: async () => (await import("./machine/web.ts")).web,
  askPlace: async () => (await import("./machine/web.ts")).askPlace,
  httpServer: async () => (await import("./machine/http-server.ts")).httpServer,
  terminal: async () => (await import("./machine/terminal.ts")).terminal(),
  spareMemory: async () => (await import("./machine/spare-memory.ts")).spareMemory(),
  print: (text) => say(1, text) === null,
  interrupted: new Promise((resolve) => {
    for (const signal of SIGNALS)
      process.once(signal, () => {
        resolve(signal);
      });
  }),
};

function runtime(): string {
  const { versions, platform, arch } = process;
  const engine = versions["bun"] === undefined ? `Node ${versions.node}` : `Bun ${versions["bun"]}`;
  return `${engine}, ${platform} ${arch}, code cache ${typeof CODE_CACHE === "undefined" ? "none" : CODE_CACHE}, commit ${COMMIT}`;
}

/** A ticket tells our replies from those to others and keeps nobody out: not worth the 5 ms that `node:crypto` takes. */
function ticketBytes(): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => Math.random() * 256);
}

/** The argument of a process that only has to end: see `leave`. */
const END_WITH = "--end-with=";

/** What holds a thread: a host name that is still being looked up, and a device on stdin that has nothing to say. */
const HOLDING = /^(?:GetAddrInfoReqWrap|FSReqCallback)$/;

/**
 * Ends the process. `process.exit` waits for a thread that is held, past any deadline; replacing the process by one that
 * ends at once does not.
 */
function leave(code: number): never {
  if (process.getActiveResourcesInfo().some((name) => HOLDING.test(name))) {
    try {
      // Its listeners restore the terminal, and are not called by what follows.
      process.emit("exit", code);
      process.execve?.(process.execPath, [process.execPath, `${END_WITH}${code}`], {});
    } catch {
      // The file is gone or may not be executed any more: late is better than not at all.
    }
  }
  process.exit(code);
}

/** Writes and ends at once: open handles, and a reader that has gone, must not change the output. */
function end(ending: Ending): void {
  const { stdout, stderr } = ending;
  say(2, stderr);
  if (stdout.length > SHORT) sayAll(ending);
  else leave(codeAfter(say(1, stdout), ending));
}

/** A reader that has gone has what it wants. Any other failed write loses output, and the run says so. */
function codeAfter(problem: string | null, { exitCode, isVerdict }: Ending): 0 | 1 {
  if (problem === null || problem === "EPIPE") return exitCode;
  say(2, page([`celery-probe: stdout could not be written: ${problem}`]));
  return isVerdict === true ? exitCode : 1;
}

/** No verdict is longer, in bytes. What is longer was asked for by a person or a program that wants all of it. */
const SHORT = 4_096;

/** A reader that is slower than we are may take so long, in milliseconds; what it has not read then is lost. */
const READER_MS = 100;

/** Writes, ends when all is read, as a pager does that waits for somebody to turn the page, and by signals till then. */
function sayAll(ending: Ending): void {
  for (const signal of SIGNALS) process.once(signal, () => leave(1));
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => leave(codeAfter(code ?? "", ending)));
  process.stdout.write(ending.stdout, (error) => {
    // The listener has the rest.
    if (!error) leave(ending.exitCode);
  });
}

/**
 * Writes, and never waits for a reader that does not read: a verdict that nobody takes keeps no process.
 *
 * @returns the system's word for why it could not be written; null: it was, or its reader is too slow
 */
function say(fd: 1 | 2, text: string): string | null {
  if (text === "") return null;
  const own = unblocked(fd);
  if (own === null) {
    (fd === 1 ? process.stdout : process.stderr).write(text);
    return null;
  }
  const end = now() + READER_MS;
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(own, rest));
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN") return code;
      if (now() >= end) return null;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return null;
}

/**
 * The same output, opened for ourselves so that writing never blocks; null where that cannot be done: a socket, or a
 * pipe of another user's. Then `process.stdout` does it, which takes 3 ms to make.
 */
function unblocked(fd: 1 | 2): number | null {
  try {
    // A file never blocks, and opened anew it would be written from its beginning.
    if (fstatSync(fd).isFile()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

/** Whether an error of ours is already being reported: its follow-up errors are not. */
let isCrashing = false;

function crash(error: unknown): void {
  if (isCrashing) return;
  isCrashing = true;
  import("./commands/crashed.ts")
    .then(({ crashed }) => crashed(error, host))
    .then(end)
    .catch(() => leave(1));
}

const code = [0, 1].find((number) => host.argv[0] === `${END_WITH}${number}`);
if (code !== undefined) process.exit(code);
process.on("uncaughtException", crash);
run(host).then(end, crash);
