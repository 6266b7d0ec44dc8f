import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WORLD } from "./file-worlds.ts";

export interface GroupOptions {
  /** The name of this program, in error texts and for its folder. */
  readonly what: string;
  readonly command: string;
  /** May be computed from the folder, which is made here. */
  readonly args: (folder: string) => readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: (folder: string) => Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * In the world of a test file, folders stay until the whole run has ended. So people can look into the folders of a
 * failed test.
 */
const IN_WORLD = process.env[WORLD] !== undefined;

/**
 * A program in its own process group and temporary folder. Both end with the test, however that ends.
 *
 * Beside it runs a shell that holds the other end of a pipe of ours. When this process is gone (even after SIGKILL),
 * the shell reads the end of the pipe, kills the group and removes the folder. So we need no signal handler in the test
 * runner.
 */
export class ProcessGroup {
  readonly what: string;
  readonly folder: string;
  /** The number of the program and of its process group. */
  readonly pid: number;
  readonly ended: Promise<Ending>;
  #ending: Ending | undefined;
  /** The program has ended, and its last words are in the log. */
  #isSilent = false;
  #log = "";
  #stopping: Promise<Ending> | undefined;
  readonly #guard: ChildProcess;
  readonly #listeners = new Set<() => void>();

  /** @throws Error if the program cannot be started at all */
  static async start(options: GroupOptions): Promise<ProcessGroup> {
    const name = `${IN_WORLD ? "" : "celery-probe-"}${options.what.replaceAll(/[^\w.-]+/g, "-")}-`;
    const folder = mkdtempSync(join(tmpdir(), name));
    const child = spawn(options.command, options.args(folder), {
      cwd: folder,
      env: options.env(folder),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.on("error", () => undefined); // the missing pid shows this error
    if (child.pid === undefined) {
      await rm(folder, { recursive: true });
      throw new Error(`${options.what}: '${options.command}' cannot be started`);
    }
    return new ProcessGroup(options.what, folder, child, child.pid);
  }

  private constructor(what: string, folder: string, child: ChildProcess, pid: number) {
    this.what = what;
    this.folder = folder;
    this.pid = pid;
    this.#guard = startGuard(pid, folder);
    this.ended = new Promise((done) => {
      child.once("exit", (code, signal) => {
        this.#ending = { code, signal };
        done(this.#ending);
        // Its children may keep the streams open for long. Then no more of its own output is expected either.
        setTimeout(() => {
          this.#fallSilent();
        }, 500).unref();
      });
      child.once("close", () => {
        this.#fallSilent();
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
        this.#notify();
      });
    }
  }

  /** Both output streams from the start, in order of arrival. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#ending === undefined;
  }

  /** An Error with the end of the log, which nearly always names the cause. */
  problem(fact: string): Error {
    const ending = this.#ending === undefined ? "" : ` (ended: ${this.#ending.signal ?? this.#ending.code})`;
    return new Error(`${this.what}: ${fact}${ending}; the end of its log:\n${this.#log.slice(-3000)}`);
  }

  /**
   * The first match in the log from character `from` on. Waits for output, does not poll.
   *
   * @throws Error with the log's end if `timeoutMs` has passed or the program ended without such a line
   */
  waitForLog(pattern: RegExp, { timeoutMs = 15_000, from = 0 } = {}): Promise<RegExpExecArray> {
    return new Promise((done, failed) => {
      const look = (): void => {
        const match = pattern.exec(this.#log.slice(from));
        if (match !== null)
          finish(() => {
            done(match);
          });
        else if (this.#isSilent)
          finish(() => {
            failed(this.problem(`ended before ${pattern}`));
          });
      };
      const late = (): void => {
        finish(() => {
          failed(this.problem(`no ${pattern} within ${timeoutMs} ms`));
        });
      };
      const timer = setTimeout(late, timeoutMs);
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        settle();
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** Sends a signal to the program alone. @throws Error if it has already ended */
  signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) throw this.problem(`cannot receive ${signal}`);
    process.kill(this.pid, signal);
  }

  /** Sends a signal to every process of the group. An empty group is not an error. */
  signalAll(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** The program's direct children. */
  async children(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir("/proc")) {
      if (/^\d+$/.test(name) && (await parentOf(name)) === this.pid) found.push(Number(name));
    }
    return found.sort((a, b) => a - b);
  }

  /**
   * Sends SIGTERM to the program. After `graceMs` (at once for 0) sends SIGKILL to everything left of the group. The
   * folder is removed too. A second call waits for the first.
   */
  stop(graceMs: number): Promise<Ending> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<Ending> {
    if (this.isRunning && graceMs > 0) {
      process.kill(this.pid, "SIGTERM");
      // A suspended program would not react to it.
      this.signalAll("SIGCONT");
      const timer = new AbortController();
      const grace = new Promise<void>((done) => {
        const timeout = setTimeout(done, graceMs);
        timer.signal.addEventListener("abort", () => {
          clearTimeout(timeout);
        });
      });
      await Promise.race([this.ended, grace]);
      timer.abort();
    }
    this.signalAll("SIGKILL");
    const ending = await this.ended;
    this.#guard.stdin?.end("done\n");
    if (IN_WORLD) await writeFile(join(this.folder, "output.log"), this.#log);
    else await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    return ending;
  }

  #fallSilent(): void {
    if (this.#isSilent) return;
    this.#isSilent = true;
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function startGuard(pid: number, folder: string): ChildProcess {
  const script = `read -r done || { kill -s KILL -- "-$1"; ${IN_WORLD ? ":" : 'rm -rf -- "$2"'}; }`;
  const guard = spawn("/bin/sh", ["-c", script, "guard", String(pid), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.unref();
  // A pipe to a child is a socket, although its type does not say so. The event loop must not wait for it.
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return guard;
}

/** The parent of a process; undefined: it has just ended. */
async function parentOf(pid: string): Promise<number | undefined> {
  try {
    // The line is `pid (name) state ppid …`. The name may hold spaces and brackets, so read on from the last bracket.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
