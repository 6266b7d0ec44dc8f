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

/** The commit that the program was built from. build.mjs sets it too. */
declare const COMMIT: string;

/**
 * Whether V8 accepted the code that was compiled when the executable was built. Only the executable's loader sets it.
 */
declare const CODE_CACHE: "used" | "rejected" | undefined;

/** `performance.now()` counts from the same moment, but loads ten modules of Node. */
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

/** Tickets match replies to requests. They are not secret, so Math.random is enough; `node:crypto` would cost 5 ms. */
function ticketBytes(): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => Math.random() * 256);
}

/** The argument of a process that only has to end; see `leave`. */
const END_WITH = "--end-with=";

/** Resources that block a thread: a host name that is still being looked up, and a silent device on stdin. */
const HOLDING = /^(?:GetAddrInfoReqWrap|FSReqCallback)$/;

/**
 * Ends the process. `process.exit` waits for a blocked thread, past any deadline. So we replace the process by one that
 * ends at once.
 */
function leave(code: number): never {
  if (process.getActiveResourcesInfo().some((name) => HOLDING.test(name))) {
    try {
      // Its listeners restore the terminal. Nothing after this line calls them.
      process.emit("exit", code);
      process.execve?.(process.execPath, [process.execPath, `${END_WITH}${code}`], {});
    } catch {
      // The file is gone or may no longer be executed. A late end is better than none.
    }
  }
  process.exit(code);
}

/** Writes and ends at once. Open handles, and a reader that has gone, must not change the output. */
function end(ending: Ending): void {
  const { stdout, stderr } = ending;
  say(2, stderr);
  if (stdout.length > SHORT) sayAll(ending);
  else leave(codeAfter(say(1, stdout), ending));
}

/**
 * A reader that has gone has read what it wanted. After any other failed write, output is lost, and the exit code says
 * so.
 */
function codeAfter(problem: string | null, { exitCode, isVerdict }: Ending): 0 | 1 {
  if (problem === null || problem === "EPIPE") return exitCode;
  say(2, page([`celery-probe: stdout could not be written: ${problem}`]));
  return isVerdict === true ? exitCode : 1;
}

/** In bytes. A verdict is never longer. A person or a program that wants a longer text wants all of it. */
const SHORT = 4_096;

/** A slow reader may take this long. Output that it has not read then is lost. In milliseconds. */
const READER_MS = 100;

/**
 * Writes, and ends when everything has been read. The reader may be a pager that waits for its user. Signals end the
 * process until then.
 */
function sayAll(ending: Ending): void {
  for (const signal of SIGNALS) process.once(signal, () => leave(1));
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => leave(codeAfter(code ?? "", ending)));
  process.stdout.write(ending.stdout, (error) => {
    // The listener writes the rest.
    if (!error) leave(ending.exitCode);
  });
}

/**
 * Writes, and never waits for a reader that does not read. An unread verdict must not keep a process alive.
 *
 * @returns the system's word for why it could not be written; null: it was written, or its reader is too slow
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
 * The same output, opened again so that writing never blocks. Null if that is impossible: it is a socket, or a pipe of
 * another user. Then `process.stdout` is used, which takes 3 ms to create.
 */
function unblocked(fd: 1 | 2): number | null {
  try {
    // Writing to a file never blocks. If we opened it again, we would write from its beginning.
    if (fstatSync(fd).isFile()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

/** Whether an error of ours is already being reported. The errors that follow from it are not reported. */
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
