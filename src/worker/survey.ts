import { programWords, readCommandLine, UNKNOWN_COMMAND, type WorkerCommand } from "./command.ts";
import { variableOf } from "../celery/worker-options.ts";
import { laterNodeName, nodeName } from "../celery/node-name.ts";
import { wholeEnvironment } from "./environment.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, type Stat, statOf, type Status, statusOf } from "./process-status.ts";

/** The main process of a worker. */
export interface WorkerProcess {
  /** In the numbers of our /proc. */
  readonly pid: number;
  /** Start after the machine's, in ticks: with `pid` it names the process for good. */
  readonly startTicks: number;
  readonly command: WorkerCommand;
  /** The program and its first arguments; no secret is among them. */
  readonly words: string;
  readonly foundBy: "command" | "title" | "pidfile" | "connections";
  /** Of its environment the variables that Celery reads; null where it may not be read, or setproctitle wrote over it. */
  readonly environment: Readonly<Record<string, string>> | null;
  /** Its host name; null if it differs from ours and its environment does not tell it, or if that cannot be seen. */
  readonly host: "ours" | { readonly name: string } | null;
  /** The letter of /proc/N/stat. */
  readonly state: string;
  /** The number that the worker itself sees: it is in its heartbeats. */
  readonly innerPid: number;
}

/** The workers here. Processes of other containers, kernel threads and our own process are in none of its lists. */
export interface Survey {
  /** Whether the absence of a worker means anything: there is a /proc, and it hides nobody (`hidepid`). */
  readonly visible: boolean;
  readonly workers: readonly WorkerProcess[];
  /** Ended workers that nobody has waited for, by their names; only looked for where there is no worker. */
  readonly zombies: readonly number[];
  /** What is here and is no worker. The beat that a worker has left shows in closer looks alone. */
  readonly instead: Instead | null;
}

export type Instead =
  /** Programs of Celery's that have a check of their own. */
  | { readonly pid: number; readonly what: "beat" | "flower" }
  /** The beat of a worker (`-B`) that has ended. */
  | { readonly pid: number; readonly what: "left-beat" }
  /** What a pid file names. */
  | { readonly pid: number; readonly what: "another"; readonly words: string };

/** Looks through all processes: one file of each, and more of the workers. */
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
 * The worker that somebody has named by its number. Null: there is no such process, it belongs to another container,
 * is ourselves, or is a pool process, which has its main's sockets as well.
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

/** A process of ours, whatever it is. */
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
 * @param hostname ours, which a worker in our container shares
 * @param env ours, if the worker's cannot be read: a container's processes share most of it
 */
export function workerNode(worker: WorkerProcess, ...[hostname, env]: Place): string {
  return worker.command.node ?? nodeName(givenName(worker, env), hostOr(worker, hostname));
}

/** What it is called where it is Celery 5.7 or later; null: the same. */
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
 * Celery's own program is started. A process with its command line that was only forked belongs to its pool, its beat
 * (`-B`) or a task. That holds even when the main process is gone.
 */
function isMain({ stat, status }: Candidate): boolean {
  return !isOfPool(status) && !stat.isForked;
}

/** Without the programs that only seem to be a worker because a worker's command line is in theirs, or the same. */
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
  // What ends meanwhile can change the tree under our feet: no circle may hold us.
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
 * In how many PID namespaces we are, counted from the namespace of this /proc; another container's processes are in
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
 * Variables that `celery` reads itself: click's prefix is CELERY, and five have their own names
 * (celery/bin/celery.py).
 */
const READ_BY_CELERY = /^(?:CELERYD?_.+|BROKER_URL|RESULT_BACKEND|APP|LOADER|CONFIG_MODULE)$/;

/**
 * Names made from the prefix, which only `celery` itself gives to click (celery/bin/celery.py `main`): under
 * `app.start()` and `worker_main()` they mean nothing. Measured on 5.0.5, 5.2.7 and 5.7.0.
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

/** A worker beside us has a host name of its own, which container engines put into its environment. */
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
