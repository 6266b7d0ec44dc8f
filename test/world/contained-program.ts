import { setTimeout as wait } from "node:timers/promises";
import { childrenOf, isAlive } from "./proc.ts";
import { type Ending, type GroupOptions, ProcessGroup } from "./process-group.ts";

/** What a test can do with a program that it started, wherever it runs. */
export type Program = Pick<
  ProcessGroup,
  | "pid"
  | "folder"
  | "log"
  | "isRunning"
  | "ended"
  | "problem"
  | "waitForLog"
  | "signal"
  | "signalAll"
  | "children"
  | "stop"
>;

/**
 * A program in a container that behaves like a {@link ProcessGroup}.
 *
 * It is the child of an `nsenter` process of ours. So its output comes directly, and `nsenter` ends in the same way as
 * the program.
 */
export class ContainedProgram implements Program {
  /** The number of the program itself, as the machine counts. */
  readonly pid: number;
  readonly #group: ProcessGroup;

  private constructor(group: ProcessGroup, pid: number) {
    this.#group = group;
    this.pid = pid;
  }

  /**
   * @param entering the arguments of `nsenter` before the command
   * @throws Error if the program does not start
   */
  static async start(entering: readonly string[], options: GroupOptions): Promise<ContainedProgram> {
    const group = await ProcessGroup.start({
      ...options,
      command: "nsenter",
      args: (folder) => [...entering, options.command, ...options.args(folder)],
    });
    for (;;) {
      const [pid] = childrenOf(group.pid);
      if (pid !== undefined) return new ContainedProgram(group, pid);
      if (!group.isRunning) {
        await group.stop(0);
        throw group.problem("ended before it was seen");
      }
      await wait(5);
    }
  }

  get folder(): string {
    return this.#group.folder;
  }

  get log(): string {
    return this.#group.log;
  }

  get isRunning(): boolean {
    return this.#group.isRunning && isAlive(this.pid);
  }

  get ended(): Promise<Ending> {
    return this.#group.ended;
  }

  problem(fact: string): Error {
    return this.#group.problem(fact);
  }

  waitForLog(...args: Parameters<ProcessGroup["waitForLog"]>): Promise<RegExpExecArray> {
    return this.#group.waitForLog(...args);
  }

  /**
   * Sends a signal to the program alone. `nsenter` stops when its child stops, so a signal that wakes the child must
   * also wake `nsenter`.
   */
  signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) throw this.problem(`cannot receive ${signal}`);
    process.kill(this.pid, signal);
    if (signal === "SIGCONT" || signal === "SIGKILL") process.kill(this.#group.pid, "SIGCONT");
  }

  signalAll(signal: NodeJS.Signals): void {
    this.#group.signalAll(signal);
  }

  children(): Promise<number[]> {
    return Promise.resolve(childrenOf(this.pid));
  }

  /** Sends SIGTERM to the program. After `graceMs` (at once for 0) sends SIGKILL to everything left of its group. */
  async stop(graceMs: number): Promise<Ending> {
    if (graceMs > 0 && this.isRunning) {
      // Not through nsenter: it would end first, and then nothing could say how the program ended.
      this.signalAll("SIGCONT");
      process.kill(this.pid, "SIGTERM");
      const timer = new AbortController();
      await Promise.race([
        this.ended,
        wait(graceMs, undefined, { signal: timer.signal }).catch(() => undefined),
      ]);
      timer.abort();
    }
    return this.#group.stop(0);
  }
}
