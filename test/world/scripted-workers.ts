import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "scripted-workers-process.ts");

/** Scripted workers on a server's database 0. They answer pings, `stats` and `active_queues`, and send heartbeats. */
export interface ScriptedWorkers extends AsyncDisposable {
  readonly nodes: readonly string[];
  /**
   * The first of them end and come back as other processes with these names.
   *
   * @param vanishing this many of them end without a goodbye, the others say goodbye
   */
  readonly rename: (names: readonly string[], vanishing?: number) => Promise<void>;
}

/**
 * Starts `count` of them in a separate process, which ends with this one. Their names are `celery@scripted-N`, from
 * `first` on.
 *
 * @throws Error if not all can subscribe, usually because of too few file descriptors
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
