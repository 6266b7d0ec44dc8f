import { programWords, readCommandLine, UNKNOWN_COMMAND, type WorkerCommand } from "./command.ts";
import { variableOf } from "../celery/worker-options.ts";
import { laterNodeName, nodeName } from "../celery/node-name.ts";
import { wholeEnvironment } from "./environment.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, type Stat, statOf, type Status, statusOf } from "./process-status.ts";

/** The main process of a worker. */
export interface WorkerProcess {
  /** Its number in our /proc. */
  readonly pid: number;
  /**
   * Time between the start of the machine and of the process, in ticks. Together with `pid` it names the process for
   * good.
   */
  readonly startTicks: number;
  readonly command: WorkerCommand;
  /** The program and its first arguments. They contain no secret. */
  readonly words: string;
  readonly foundBy: "command" | "title" | "pidfile" | "connections";
  /** The variables of its environment that Celery reads; null: we may not read them, or setproctitle overwrote them. */
  readonly environment: Readonly<Record<string, string>> | null;
  /**
   * Its host name. Null: the name differs from ours and the environment does not contain it, or we cannot see whether
   * it differs.
   */
  readonly host: "ours" | { readonly name: string } | null;
  /** The letter of /proc/N/stat. */
  readonly state: string;
  /** The number that the worker itself sees. Its heartbeats carry it. */
  readonly innerPid: number;
}

/** The workers here. Its lists leave out processes of other containers, kernel threads and our own process. */
export interface Survey {
  /** Whether a missing worker means anything: there is a /proc, and it hides no process (`hidepid`). */
  readonly visible: boolean;
  readonly workers: readonly WorkerProcess[];
  /**
   * Ended workers that their parents have not waited for, recognised by their names. They are looked for only if there
   * is no worker.
   */
  readonly zombies: readonly number[];
  /** A program here that is not a worker. Only a closer look shows the beat that a worker has left behind. */
  readonly instead: Instead | null;
}

export type Instead =
  /** Programs of Celery that have a check of their own. */
  | { readonly pid: number; readonly what: "beat" | "flower" }
  /** The beat of a worker (`-B`) that has ended. */
  | { readonly pid: number; readonly what: "left-beat" }
  /** The program that a pid file names. */
  | { readonly pid: number; readonly what: "another"; readonly words: string };

/** Looks through all processes. It reads one file of each process, and more files of the workers. */
export function survey(proc: ProcFiles): Survey {
  const pids = proc.pids();
  if (pids === null) return { visible: false, workers: [], zombies: [], instead: null };
  const { self } = proc;
  const candidates: Candidate[] = [];
  const withoutWords: number[] = [];
  let visible = self === 1;
  let depth: number | undefined;
  let instead: Instead | null = null;
  for (const pid of pids) {
    if (pid === self) continue;
    const text = proc.read(`/proc/${pid}/cmdline`);
    if (pid === 1) visible = text.ok || text.problem === "gone";
    if (!text.ok) continue;
    if (text.value === "") withoutWords.push(pid);
    const program = readCommandLine(text.value);
    if (program.kind === "another" && program.what !== null) instead ??= insteadOf(proc, pid, program.what);
    if (program.kind !== "main") continue;
    const stat = statOf(proc, pid);
    const status = statusOf(proc, pid);
    depth ??= ownDepth(proc);
    if (stat === null || status === null || status.namespacePids.length > depth) continue;
    candidates.push({ pid, text: text.value, program, stat, status });
  }
  const workers = withoutWrappers(proc, candidates.filter(isMain));
  return {
    visible,
    workers: workers.map((worker) => describe(proc, worker, foundBy(worker.text))),
    zombies: workers.length > 0 ? [] : zombiesAmong(proc, withoutWords),
    instead,
  };
}

/**
 * The worker with the number that the user has given. Null: there is no such process, or it belongs to another
 * container, is ourselves or is a pool process. A pool process has its main process' sockets too.
 */
export function workerByPid(
  proc: ProcFiles,
  pid: number,
  foundBy: "pidfile" | "connections",
): WorkerProcess | null {
  const found = processByPid(proc, pid);
  if (found === null || isOfPool(found.status) || found.program.kind === "child") return null;
  return describe(proc, found, foundBy);
}

/** Any process of ours. */
export function processByPid(proc: ProcFiles, pid: number): Candidate | null {
  if (pid === proc.self) return null;
  const text = proc.read(`/proc/${pid}/cmdline`);
  const stat = statOf(proc, pid);
  const status = statusOf(proc, pid);
  if (!text.ok || stat === null || status === null) return null;
  const isKernels = text.value === "" && stat.state !== "Z";
  if (isKernels || status.namespacePids.length > ownDepth(proc)) return null;
  return { pid, text: text.value, program: readCommandLine(text.value), stat, status };
}

/**
 * The full name of a worker's node.
 *
 * @param hostname our own, which a worker in our container shares
 * @param env our own, for a worker whose environment cannot be read. The processes of a container share most variables
 */
export function workerNode(worker: WorkerProcess, ...[hostname, env]: Place): string {
  return worker.command.node ?? nodeName(givenName(worker, env), hostOr(worker, hostname));
}

/** The node's name if the worker runs Celery 5.7 or later; null: the same name. */
export function laterWorkerNode(worker: WorkerProcess, ...[hostname, env]: Place): string | null {
  if (worker.command.node !== null) return null;
  return laterNodeName(givenName(worker, env), hostOr(worker, hostname));
}

type Place = [hostname: string, env: Readonly<Record<string, string | undefined>>];

function givenName({ command, environment }: WorkerProcess, env: Place[1]): string {
  return command.name ?? (environment ?? env)[variableOf("worker", "hostname")] ?? "";
}

function hostOr({ host }: WorkerProcess, ours: string): string {
  return host === null || host === "ours" ? ours : host.name;
}

interface Candidate {
  readonly pid: number;
  readonly text: string;
  readonly program: ReturnType<typeof readCommandLine>;
  readonly stat: Stat;
  readonly status: Status;
}

/**
 * A main process was started as Celery's own program. If a process was only forked and has that command line, it
 * belongs to a pool, a beat (`-B`) or a task. That holds even when the main process is gone.
 */
function isMain({ stat, status }: Candidate): boolean {
  return !isOfPool(status) && !stat.isForked;
}

/** Leaves out wrappers. These programs have a worker's command line inside their own, or the same one. */
function withoutWrappers(proc: ProcFiles, mains: readonly Candidate[]): readonly Candidate[] {
  if (mains.length < 2) return mains;
  return mains.filter((main) => {
    const inner = mains.filter((other) => ancestorsOf(proc, other).includes(main.pid));
    return !inner.some(({ text }) => text === main.text || !isCertain(main));
  });
}

function isCertain({ program }: Candidate): boolean {
  return program.kind === "main" && program.certain;
}

function ancestorsOf(proc: ProcFiles, { stat }: Candidate): readonly number[] {
  const found: number[] = [];
  let { parent } = stat;
  // Processes that end meanwhile can change the tree while we read it. Stop if there is a circle.
  while (parent > 0 && !found.includes(parent)) {
    found.push(parent);
    parent = statOf(proc, parent)?.parent ?? 0;
  }
  return found;
}

function zombiesAmong(proc: ProcFiles, pids: readonly number[]): readonly number[] {
  const isWorkers = (pid: number): boolean => {
    const stat = statOf(proc, pid);
    return stat?.state === "Z" && /celery|python|pypy/.test(stat.comm);
  };
  const depth = ownDepth(proc);
  return pids.filter((pid) => isWorkers(pid) && (statusOf(proc, pid)?.namespacePids.length ?? 0) <= depth);
}

function insteadOf(proc: ProcFiles, pid: number, what: "beat" | "flower"): Instead | null {
  const status = statusOf(proc, pid);
  return status === null || status.namespacePids.length > ownDepth(proc) ? null : { pid, what };
}

/**
 * How many PID namespaces we are in, counted from the namespace of this /proc. Another container's processes are in
 * more.
 */
export function ownDepth(proc: ProcFiles): number {
  return statusOf(proc, proc.self)?.namespacePids.length ?? 1;
}

function foundBy(text: string): "command" | "title" {
  return text.startsWith("[") ? "title" : "command";
}

function describe(proc: ProcFiles, found: Candidate, foundBy: WorkerProcess["foundBy"]): WorkerProcess {
  const { pid, program, stat, status } = found;
  const whole = wholeEnvironment(proc, pid);
  return {
    pid,
    startTicks: stat.startTicks,
    command: program.kind === "main" ? program.command : UNKNOWN_COMMAND,
    words: programWords(found.text),
    foundBy,
    environment: environmentOf(whole, program.kind === "main" && program.byCelery),
    host: hostOf(proc, pid, whole),
    state: stat.state,
    innerPid: status.namespacePids.at(-1) ?? pid,
  };
}

/**
 * Variables that `celery` itself reads. click's prefix is CELERY, and five have their own names (celery/bin/celery.py).
 */
const READ_BY_CELERY = /^(?:CELERYD?_.+|BROKER_URL|RESULT_BACKEND|APP|LOADER|CONFIG_MODULE)$/;

/**
 * Names that click makes from the prefix. Only `celery` itself gives click the prefix (celery/bin/celery.py `main`), so
 * these names mean nothing under `app.start()` and `worker_main()`. Measured on 5.0.5, 5.2.7 and 5.7.0.
 */
const READ_BY_ITS_PROGRAM = /^CELERY_(?:WORKER_.+|BROKER)$/;

function environmentOf(
  whole: ReadonlyMap<string, string> | null,
  byCelery: boolean,
): Readonly<Record<string, string>> | null {
  if (whole === null) return null;
  const isRead = (name: string) => READ_BY_CELERY.test(name) && (byCelery || !READ_BY_ITS_PROGRAM.test(name));
  return Object.fromEntries([...whole].filter(([name]) => isRead(name)));
}

/** A worker beside us has its own host name. Container engines put this name into its environment. */
function hostOf(
  proc: ProcFiles,
  pid: number,
  whole: ReadonlyMap<string, string> | null,
): WorkerProcess["host"] {
  const [ours, its] = [proc.link("/proc/self/ns/uts"), proc.link(`/proc/${pid}/ns/uts`)];
  if (!ours.ok || !its.ok) return null;
  if (ours.value === its.value) return "ours";
  const name = whole?.get("HOSTNAME");
  return name ? { name } : null;
}
