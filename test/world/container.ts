import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { execa } from "execa";
import { ContainedProgram } from "./contained-program.ts";
import { childrenOf, commandOf, namespacePids } from "./proc.ts";
import { IS_ROOT, unshared } from "./namespaces.ts";
import { type GroupOptions, ProcessGroup } from "./process-group.ts";
import { startStopwatch } from "./stopwatch.ts";
import { startWorker, type Worker } from "./worker.ts";
import type { WorkerOptions } from "./worker-command.ts";

export interface ContainerOptions {
  /** Default: a unique name. */
  readonly hostname?: string;
}

/** How a program in a container ended. */
export interface ContainerRun {
  /** undefined: a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds by {@link startStopwatch}, including the few for entering the namespaces. */
  readonly ms: number;
}

/** The longest time that this process waits for a program. */
const LONGEST_MS = 60_000;

const BARE = { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" };

/**
 * What the probe sees of a container, without a container engine. It has a process namespace with its own `/proc`, and
 * a host name. It shares network and file system with the machine. Process 1 is a shell that reaps processes and
 * outlives the programs beside it.
 *
 * It ends, with everything that runs in it, with `await using`, with `stop()`, or with this process.
 */
export class Container implements AsyncDisposable {
  readonly hostname: string;
  /** The number of its process 1, as the machine counts. */
  readonly pid: number;
  /** Temporary, and as visible inside as all other files. It is removed with the container. */
  readonly folder: string;
  readonly #group: ProcessGroup;
  readonly #programs: ContainedProgram[] = [];

  /** Only `startContainer` makes one. */
  constructor(group: ProcessGroup, pid: number, hostname: string) {
    this.#group = group;
    this.folder = group.folder;
    this.pid = pid;
    this.hostname = hostname;
  }

  /** Runs a program inside, as `docker exec` does, and waits for its end; `env` is its whole environment. */
  async run(
    command: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ContainerRun> {
    const elapsedMs = startStopwatch();
    const { exitCode, stdout, stderr } = await execa("nsenter", [...this.entering(), command, ...args], {
      env,
      extendEnv: false,
      reject: false,
      stdin: "ignore",
      timeout: LONGEST_MS,
    });
    return { exitCode, stdout, stderr, ms: elapsedMs() };
  }

  /** Starts a program inside. It ends with the container at the latest. @throws Error if it does not start */
  async start(options: GroupOptions): Promise<ContainedProgram> {
    const program = await ContainedProgram.start(this.entering(), options);
    this.#programs.push(program);
    return program;
  }

  /** Starts a worker inside. Its node is `celery@<host name>` unless it has a name. See `startWorker`. */
  startWorker(options: WorkerOptions): Promise<Worker> {
    return startWorker({ name: null, within: this, ...options });
  }

  /** The number of one of our processes inside. @throws Error if it does not run inside */
  pidInside(pid: number): number {
    const numbers = namespacePids(pid);
    const inner = numbers.at(-1);
    if (inner === undefined || numbers.length < 2) throw new Error(`process ${pid} is in no container`);
    return inner;
  }

  /** Sends SIGKILL to everything inside. */
  async stop(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop(0)));
    await this.#group.stop(0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The arguments of `nsenter` before a command that runs inside. */
  entering(): string[] {
    const user = IS_ROOT ? [] : ["--user", "--preserve-credentials"];
    return ["--target", String(this.pid), ...user, "--pid", "--mount", "--uts", "--"];
  }
}

/** A shell that waits for its own child reaps every child that ends, including inherited orphans. */
const PROCESS_ONE = 'hostname "$1" || exit; echo up; while :; do sleep 1000; done';

/** @throws Error if namespaces are not allowed: to root in a container, or to other users on machines that forbid it */
export async function startContainer(options: ContainerOptions = {}): Promise<Container> {
  const hostname = options.hostname ?? randomUUID().slice(0, 12).replaceAll("-", "");
  const group = await ProcessGroup.start({
    what: `container:${hostname}`,
    command: "unshare",
    args: () => unshared(["/bin/sh", "-c", PROCESS_ONE, "init", hostname]),
    env: () => BARE,
  });
  try {
    await group.waitForLog(/^up$/m);
    return new Container(group, await processOne(group), hostname);
  } catch (error) {
    await group.stop(0);
    throw error;
  }
}

/** The child of `unshare`. It exists as soon as it has printed something. */
async function processOne(group: ProcessGroup): Promise<number> {
  for (;;) {
    const pid = childrenOf(group.pid).find((child) => commandOf(child)[0] === "/bin/sh");
    if (pid !== undefined) return pid;
    if (!group.isRunning) throw group.problem("has no process 1");
    await wait(5);
  }
}
