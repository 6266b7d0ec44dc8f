import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "listeners-process.ts");

/** Scripted subscribers in a process of their own, which ends with this one. */
export class Listeners implements AsyncDisposable {
  readonly #child: ChildProcess;

  /** Only `startListeners` makes some. */
  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child.connected) return;
    const ended = new Promise((done) => this.#child.once("exit", done));
    this.#child.disconnect();
    await ended;
  }
}

/**
 * Subscribes `count` connections to the channel; resolves when the server has confirmed all of them.
 *
 * @throws Error when it cannot, for want of file descriptors above all
 */
export function startListeners(port: number, channel: string, count: number): Promise<Listeners> {
  const child = fork(PROGRAM, [String(port), channel, String(count)]);
  return new Promise((done, failed) => {
    child.once("message", () => {
      done(new Listeners(child));
    });
    child.once("exit", (code) => {
      failed(new Error(`${count} subscribers: the process ended with ${code}; see 'ulimit -n'`));
    });
  });
}
