import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PoolOptions, PoolWorker, WorkerRequest } from "vitest/node";
import { unshared } from "./namespaces.ts";

/**
 * Each test file runs in its own world. A world has process, mount and UTS namespaces with their own `/proc` and host
 * name, and a folder for everything it writes. So a test does not see what else runs on the machine, or the programs of
 * another file.
 */
export class FileWorlds {
  readonly name = "worlds";
  /** The folder of each test file, by the file's path. */
  readonly #folders = new Map<string, string>();
  #root: string | undefined;

  readonly createPoolWorker = (options: PoolOptions): PoolWorker => new World(options, this);

  /** A new folder for one file. Its name is short, because Redis shows only 77 characters of a socket's path. */
  makeFolder(): string {
    this.#root ??= mkdtempSync(join(tmpdir(), "celery-probe-"));
    return mkdtempSync(join(this.#root, "w"));
  }

  enter(file: string, folder: string): void {
    this.#folders.set(file, folder);
  }

  /** Removes the folders of all files except these, and returns the others, by file. */
  removeExcept(files: ReadonlySet<string>): ReadonlyMap<string, string> {
    const kept = new Map([...this.#folders].filter(([file]) => files.has(file)));
    for (const [file, folder] of this.#folders) if (!kept.has(file)) rmSync(folder, REMOVAL);
    if (kept.size === 0 && this.#root !== undefined) rmSync(this.#root, REMOVAL);
    return kept;
  }
}

/** The variable with the path of the world's folder. Programs in the world put their folders and logs there. */
export const WORLD = "CELERY_PROBE_TEST_WORLD";

const REMOVAL = { recursive: true, force: true, maxRetries: 3 } as const;

/** A shell, because as process 1 it reaps the orphans of its namespace. Node would not. */
const PROCESS_ONE = 'hostname "$1" || exit; shift; "$@"; exit';

/** One process of vitest's own `forks` pool, started by `unshare`. */
class World implements PoolWorker {
  readonly name = "worlds";
  readonly cacheFs = true;
  readonly #options: PoolOptions;
  readonly #worlds: FileWorlds;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(options: PoolOptions, worlds: FileWorlds) {
    this.#options = options;
    this.#worlds = worlds;
    this.#folder = worlds.makeFolder();
  }

  start(): Promise<void> {
    const { distPath, env, execArgv, project } = this.#options;
    const node = [process.execPath, ...execArgv];
    const hostname = `world-${randomUUID().slice(0, 8)}`;
    this.#child = fork(join(distPath, "workers/forks.js"), [], {
      // The tests write into this folder. It stays if they fail.
      env: { ...env, TMPDIR: this.#folder, [WORLD]: this.#folder },
      execPath: "unshare",
      execArgv: unshared(["/bin/sh", "-c", PROCESS_ONE, "init", hostname, ...node]),
      stdio: "pipe",
      serialization: "advanced",
    });
    const { logger } = project.vitest;
    this.#child.stdout?.pipe(logger.outputStream, { end: false });
    this.#child.stderr?.pipe(logger.errorStream, { end: false });
    return Promise.resolve();
  }

  /** Everything that runs in the world ends with it. After its last test there is no need to wait. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("close", done));
    child.kill("SIGKILL");
    await ended;
  }

  send(request: WorkerRequest): void {
    if (request.type === "run")
      for (const { filepath } of request.context.files) this.#worlds.enter(filepath, this.#folder);
    this.#process.send(request);
  }

  on(event: string, callback: (...args: unknown[]) => void): void {
    this.#process.on(event, callback);
  }

  off(event: string, callback: (...args: unknown[]) => void): void {
    this.#process.off(event, callback);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  get #process(): ChildProcess {
    if (this.#child === undefined) throw new Error("the world has not been started");
    return this.#child;
  }
}
