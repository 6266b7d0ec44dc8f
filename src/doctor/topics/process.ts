import { DEFAULT_POOL, poolRunning, recyclingOf } from "../../celery/pool.ts";
import { ageMs } from "../../worker/age.ts";
import { detailsOf, interpreterOf, type WorkerDetails } from "../../worker/in-sight.ts";
import { statOf } from "../../worker/process-status.ts";
import type { WorkerProcess } from "../../worker/survey.ts";
import { controlGroup, cpuShares, cpuTimes, machineMemory, residentBytes } from "../../worker/usage.ts";
import { type Sleep, sleepOf, unbroken, type Wait } from "../../worker/wait.ts";
import { writtenFiles } from "../../worker/written-files.ts";
import type { ProcessFacts } from "../facts/process.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";
import { type KnownWorker, knownWorkers } from "../workers-known.ts";

/** Files that Docker and Podman leave in a container. */
const MARKS = ["/.dockerenv", "/run/.containerenv"] as const;

type Seen = KnownWorker & { readonly process: WorkerProcess; readonly details: WorkerDetails };

/** The processes of the workers in sight: memory, CPU time and files. */
export const processes: Topic = async (scene) => {
  const { host } = scene;
  const { proc } = host;
  const workers = (await knownWorkers(scene)).flatMap((worker): readonly Seen[] => {
    const { process } = worker;
    return process === null ? [] : [{ ...worker, process, details: detailsOf(proc, process.pid) }];
  });
  if (workers.length === 0) return [];
  const files = await host.files();
  const isContainer =
    MARKS.some((mark) => files.look(mark).ok) || host.env["KUBERNETES_SERVICE_HOST"] !== undefined;
  const timesOf = ({ process, details }: Seen) => cpuTimes(host, process.pid, details.children);
  const sleepsOf = ({ process, details }: Seen) =>
    new Map([process.pid, ...details.children].map((pid) => [pid, sleepOf(proc, pid)]));
  const before = workers.map((worker) => ({ worker, times: timesOf(worker), sleeps: sleepsOf(worker) }));
  await scene.observed();
  return before.flatMap(({ worker, times, sleeps }) => {
    const { node, process, details } = worker;
    const pool = poolRunning(worker.pool, worker) ?? DEFAULT_POOL;
    const isPrefork = pool === "prefork";
    const cpu = cpuShares(times, timesOf(worker));
    const kills = controlGroup(proc, process.pid).oomKills;
    const stuck = stuckIn(process.pid, pool, sleeps, sleepsOf(worker));
    const interpreter = interpreterOf(proc, process.pid, details);
    return [
      finding("memory", node, memoryFacts(scene, worker)),
      ...(kills === null ? [] : [finding("oom-kills", node, { count: kills })]),
      finding("restarts", node, restartFacts(scene, worker, isContainer)),
      ...(cpu === null ? [] : [finding("cpu", node, { ...cpu, isPrefork })]),
      ...(stuck !== null && cpu !== null ? [finding("stuck", node, { ...stuck, overMs: cpu.overMs })] : []),
      ...(interpreter === null ? [] : [finding("interpreter", node, interpreter)]),
      ...writtenFiles(proc, files, process).map((one) => finding("file-permissions", node, one)),
    ];
  });
};

/** Null: no process is seen to be stuck. */
function stuckIn(
  pid: number,
  pool: string,
  before: ReadonlyMap<number, Sleep | null>,
  after: ReadonlyMap<number, Sleep | null>,
): Omit<ProcessFacts["stuck"], "overMs"> | null {
  const waits = [...after].flatMap(([one, sleep]) => {
    const wait = unbroken(before.get(one), sleep);
    return wait === null || isOfTask(wait, one === pid, pool) ? [] : [{ isMain: one === pid, wait }];
  });
  const main = waits.find(({ isMain }) => isMain) ?? null;
  const wait = (main ?? waits[0])?.wait ?? null;
  const isPipe = wait?.kind === "pipe";
  const children = isPipe ? waits.length - (main === null ? 0 : 1) : 0;
  return wait === null ? null : { wait, isMain: main !== null, children };
}

/** Whether a task may be the reason for this wait: it waits for a server, or for a program that it started. */
function isOfTask(wait: Wait, isMain: boolean, pool: string): boolean {
  if (wait.kind === "connection") return !isMain || pool === "solo";
  return wait.to === "output" && !(isMain && pool === "prefork");
}

function memoryFacts({ host: { proc } }: Scene, worker: Seen): ProcessFacts["memory"] {
  const { process, details } = worker;
  const children = details.children.map((pid) => residentBytes(proc, pid) ?? 0);
  const { memoryLimit, memoryUsed } = controlGroup(proc, process.pid);
  const { maxTasks, maxKilobytes } = recyclingOf(worker.pool, worker);
  return {
    main: residentBytes(proc, process.pid),
    children: children.reduce((sum, one) => sum + one, 0),
    largestChild: Math.max(0, ...children),
    count: children.length,
    limit: memoryLimit,
    used: memoryUsed,
    available: machineMemory(proc)?.available ?? null,
    isRecycled: maxTasks !== null || maxKilobytes !== null,
  };
}

/** Compares the worker with the container's first process. A machine's first process says nothing about the worker. */
function restartFacts(
  { host: { proc } }: Scene,
  { process }: Seen,
  isContainer: boolean,
): ProcessFacts["restarts"] {
  const first = statOf(proc, 1);
  return {
    upS: ageMs(proc, process.startTicks) / 1_000,
    containerUpS:
      isContainer && first !== null && process.pid !== 1 ? ageMs(proc, first.startTicks) / 1_000 : null,
  };
}
