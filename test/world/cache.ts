import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join, resolve } from "node:path";

/** Everything the test world installs once lives here; the folder is ignored by git and may be deleted at any time. */
export const CACHE_FOLDER: string = resolve(import.meta.dirname, "../../.cache");

const PINS_FILE = "pins.json";

/** Between the name of a thing and what makes an unfinished folder unique. */
const MAKING = ".making-";

/**
 * The folder `.cache/<name>`, made by `make` unless it already holds what was made for the same `pins`.
 *
 * `make` fills an empty sibling that is renamed when it succeeds, so a folder under its final name is always whole
 * and what is made must not contain its own path. Parallel processes and threads make a thing once; a maker that
 * died blocks nobody.
 *
 * @param what names the thing for the progress line, e.g. `Celery 5.7.0`
 * @throws what `make` throws; nothing is then left under the final name
 */
export async function cached(
  name: string,
  what: string,
  pins: unknown,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE_FOLDER, name);
  const wanted = JSON.stringify(pins);
  if (await holds(folder, wanted)) return folder;
  return alone(`cache ${folder}`, async () => {
    if (await holds(folder, wanted)) return folder;
    await mkdir(CACHE_FOLDER, { recursive: true });
    await removeLeftovers(name);
    const fresh = await mkdtemp(`${folder}${MAKING}`);
    await chmod(fresh, 0o755); // mkdtemp keeps others out, and a container's user may be another
    await withProgress(`installing ${what}`, () => make(fresh));
    await writeFile(join(fresh, PINS_FILE), wanted);
    await removeIfThere(folder);
    await rename(fresh, folder);
    return folder;
  });
}

/**
 * Runs `work` while no other process or thread of this machine is inside `alone` with the same `name`.
 *
 * The lock is a listening Unix socket in Linux' abstract namespace: the kernel takes it back however its owner
 * ends, so there are no stale lock files, and those who wait are woken by the end of their connection.
 */
export async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const path = `\0celery-probe ${createHash("sha256").update(name).digest("hex")}`;
  const waiting = new Set<Socket>();
  let lock: Server | undefined;
  while (lock === undefined) {
    lock = await tryListen(path, waiting);
    if (lock === undefined) await untilReleased(path);
  }
  try {
    return await work();
  } finally {
    lock.close();
    for (const socket of waiting) socket.destroy();
  }
}

function tryListen(path: string, waiting: Set<Socket>): Promise<Server | undefined> {
  return new Promise((done, failed) => {
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => waiting.delete(socket));
    });
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") done(undefined);
      else failed(error);
    });
    server.listen(path, () => {
      done(server);
    });
  });
}

/** Resolves when the owner lets go or dies; at once where it has already gone. */
function untilReleased(path: string): Promise<void> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      done();
    });
  });
}

async function holds(folder: string, wanted: string): Promise<boolean> {
  return (await readIfThere(join(folder, PINS_FILE))) === wanted;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * What makers that died have left; only called by the owner of the lock. What such a maker had started may be at work
 * there still, hence a new name for each attempt.
 */
async function removeLeftovers(name: string): Promise<void> {
  for (const left of await readdir(CACHE_FOLDER)) {
    if (left.startsWith(`${name}${MAKING}`)) await removeIfThere(join(CACHE_FOLDER, left));
  }
}

/** Out of the way in one step, so that nobody sees half a folder under its name. */
async function removeIfThere(folder: string): Promise<void> {
  const away = `${folder}${MAKING}old-${randomUUID()}`;
  try {
    await rename(folder, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  await rm(away, { recursive: true, force: true, maxRetries: 5 });
}

let lineOf: symbol | undefined;

/** One line on stderr: `installing Celery 5.7.0 … 3.1 s`; the text comes first so that a wait has a visible reason. */
async function withProgress(text: string, work: () => Promise<void>): Promise<void> {
  const self = Symbol(text);
  const began = performance.now();
  process.stderr.write(`${lineOf === undefined ? "" : "\n"}${text} …`);
  lineOf = self;
  let result = "failed after ";
  try {
    await work();
    result = "";
  } finally {
    // Another line may have begun meanwhile: then this one is repeated whole.
    const start = lineOf === self ? "" : `\n${text} …`;
    process.stderr.write(`${start} ${result}${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    if (lineOf === self) lineOf = undefined;
  }
}
