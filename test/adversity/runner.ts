// Runs the executable in a container and measures each run. `runner.py` does this there, because Node does not report a
// child's memory.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Container } from "../world/container.ts";
import { portOf } from "../world/proxy.ts";
import { findPython } from "../world/python.ts";

export interface Job {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** After this many milliseconds it is killed, which is a fault. */
  readonly longestMs: number;
  /** The number of a signal, and the milliseconds until it is sent. */
  readonly kill?: readonly [number, number];
  /** By their names in Python's `resource`, without RLIMIT_. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly uid?: number;
}

/** How a run ended and what it used. */
export interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly ms: number;
  /** The time from the signal of `kill` to the end; null: it had already ended. */
  readonly sinceKillMs: number | null;
  readonly peakMb: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Runner extends AsyncDisposable {
  readonly run: (job: Job) => Promise<Ran>;
}

type Answer = Ran & { readonly id: number; readonly peakKb: number; readonly problem?: string };

export async function startRunner(container: Container): Promise<Runner> {
  const python = await findPython();
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const program = await container.start({
    what: "runner",
    command: python.path,
    args: () => [join(import.meta.dirname, "runner.py"), String(portOf(listener))],
    env: () => ({ PATH: "/usr/bin:/bin", LANG: "C.UTF-8" }),
  });
  const [socket] = (await once(listener, "connection")) as [Socket];
  const waiting = new Map<number, (answer: Answer) => void>();
  createInterface({ input: socket }).on("line", (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  let last = 0;
  return {
    async run(job) {
      const id = ++last;
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      socket.write(
        `${JSON.stringify({ env: {}, ...job, words: job.words.map((word) => word.toWellFormed()), id })}\n`,
      );
      const { peakKb, problem, stdout, stderr, ...rest } = await answered;
      if (problem !== undefined) throw new Error(`${job.words.join(" ")}: ${problem}`);
      const text = (latin1: string) => Buffer.from(latin1, "latin1").toString("utf8");
      return { ...rest, peakMb: peakKb / 1_024, stdout: text(stdout), stderr: text(stderr) };
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
      listener.close();
      await program.stop(0);
    },
  };
}
