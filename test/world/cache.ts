import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join, resolve } from "node:path";

/**
 * Everything that the test world installs once is in this folder. git ignores it, and it may be deleted at any time.
 */
export const CACHE_FOLDER: string = resolve(import.meta.dirname, "../../.cache");

const PINS_FILE = "pins.json";

/** Separates a name from the part that makes an unfinished folder unique. */
const MAKING = ".making-";

/**
 * The folder `.cache/<name>`. `make` makes it, unless it already holds the result for the same `pins`.
 *
 * `make` fills an empty folder beside it, which is renamed when `make` succeeds. So a folder with its final name is
 * always complete, and its content must not contain its own path. Parallel processes and threads make a thing only
 * once. A maker that died blocks nobody.
 *
 * @param what the name of the thing for the progress line, e.g. `Celery 5.7.0`
 * @throws what `make` throws; then nothing is left under the final name
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
    await chmod(fresh, 0o755); // mkdtemp excludes other users, but a container's user may be another one
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
 * The lock is a listening Unix socket in Linux' abstract namespace. The kernel frees it however its owner ends, so
 * there are no stale lock files. The end of their connection wakes the waiting processes.
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

/** Resolves when the owner releases the lock or dies, or at once if it has already gone. */
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
 * Removes what dead makers have left. Only the owner of the lock calls it. Programs that such a maker started may still
 * work there, so each attempt gets a new name.
 */
async function removeLeftovers(name: string): Promise<void> {
  for (const left of await readdir(CACHE_FOLDER)) {
    if (left.startsWith(`${name}${MAKING}`)) await removeIfThere(join(CACHE_FOLDER, left));
  }
}

/** Moves it away in one step, so that nobody sees an incomplete folder under its name. */
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

/**
 * One line on stderr: `installing Celery 5.7.0 … 3.1 s`. The text comes first, so that the reason of a wait is visible.
 */
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
    // If another line has begun meanwhile, this one is repeated in full.
    const start = lineOf === self ? "" : `\n${text} …`;
    process.stderr.write(`${start} ${result}${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    if (lineOf === self) lineOf = undefined;
  }
}
