import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "scripted-workers-process.ts");

/** Scripted workers on a server's database 0: they answer pings, `stats` and `active_queues`, and send heartbeats. */
export interface ScriptedWorkers extends AsyncDisposable {
  readonly nodes: readonly string[];
  /**
   * The first of them end and come back as other processes under these names.
   *
   * @param vanishing the first so many of these end without a word, the others say goodbye
   */
  readonly rename: (names: readonly string[], vanishing?: number) => Promise<void>;
}

/**
 * Starts `count` of them in a process of their own, which ends with this one. Named `celery@scripted-N`, from `first` on.
 *
 * @throws Error when not all can subscribe, for want of file descriptors above all
 */
export async function startScriptedWorkers(port: number, count: number, first = 0): Promise<ScriptedWorkers> {
  const child = fork(PROGRAM, [String(port), String(count), String(first)]);
  const ended = once(child, "exit");
  const failed = ended.then(() => {
    throw new Error(`${count} scripted workers: their process has ended; see 'ulimit -n'`);
  });
  failed.catch(() => undefined);
  const told = () => Promise.race([once(child, "message"), failed]);
  await told();
  return {
    nodes: Array.from({ length: count }, (_, at) => `celery@scripted-${first + at}`),
    rename: async (names, vanishing = 0) => {
      const renamed = told();
      child.send({ names, vanishing });
      await renamed;
    },
    [Symbol.asyncDispose]: async () => {
      if (isOver(child)) return;
      child.disconnect();
      await ended;
    },
  };
}

function isOver({ connected }: ChildProcess): boolean {
  return !connected;
}
