import { setTimeout as wait } from "node:timers/promises";
import { childrenOf, isAlive } from "./proc.ts";
import { type Ending, type GroupOptions, ProcessGroup } from "./process-group.ts";

/** What a test does with a program that it started, wherever it runs. */
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
 * A program in a container, with the manners of {@link ProcessGroup}.
 *
 * It is the child of an `nsenter` of ours: its output comes directly, and `nsenter` ends as the program has ended.
 */
export class ContainedProgram implements Program {
  /** Of the program itself, as the machine numbers it. */
  readonly pid: number;
  readonly #group: ProcessGroup;

  private constructor(group: ProcessGroup, pid: number) {
    this.#group = group;
    this.pid = pid;
  }

  /**
   * @param entering what `nsenter` is told in front of the command
   * @throws Error when the program does not start
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

  /** To the program alone. `nsenter` stops when its child does, so what wakes the one has to wake the other. */
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

  /** SIGTERM to the program, after `graceMs` (or at once for 0) SIGKILL to all that is left of its group. */
  async stop(graceMs: number): Promise<Ending> {
    if (graceMs > 0 && this.isRunning) {
      // Not through nsenter, which would end first and leave nobody to say how the program ended.
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
