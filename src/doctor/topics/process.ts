import { DEFAULT_POOL, poolRunning, recyclingOf } from "../../celery/pool.ts";
import { ageMs } from "../../worker/age.ts";
import { detailsOf, interpreterOf, type WorkerDetails } from "../../worker/in-sight.ts";
import { statOf } from "../../worker/process-status.ts";
import type { WorkerProcess } from "../../worker/survey.ts";
import { controlGroup, cpuShares, cpuTimes, machineMemory, residentBytes } from "../../worker/usage.ts";
import { writtenFiles } from "../../worker/written-files.ts";
import type { ProcessFacts } from "../facts/process.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";
import { type KnownWorker, knownWorkers } from "../workers-known.ts";

/** What engines leave in a container: Docker, Podman. */
const MARKS = ["/.dockerenv", "/run/.containerenv"] as const;

type Seen = KnownWorker & { readonly process: WorkerProcess; readonly details: WorkerDetails };

/** The processes of the workers in sight, their memory, time and files. */
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
  const before = workers.map((worker) => ({ worker, times: timesOf(worker) }));
  await scene.observed();
  return before.flatMap(({ worker, times }) => {
    const { node, process, details } = worker;
    const isPrefork = (poolRunning(worker.pool, worker) ?? DEFAULT_POOL) === "prefork";
    const cpu = cpuShares(times, timesOf(worker));
    const kills = controlGroup(proc, process.pid).oomKills;
    const interpreter = interpreterOf(proc, process.pid, details);
    return [
      finding("memory", node, memoryFacts(scene, worker)),
      ...(kills === null ? [] : [finding("oom-kills", node, { count: kills })]),
      finding("restarts", node, restartFacts(scene, worker, isContainer)),
      ...(cpu === null ? [] : [finding("cpu", node, { ...cpu, isPrefork })]),
      ...(interpreter === null ? [] : [finding("interpreter", node, interpreter)]),
      ...writtenFiles(proc, files, process).map((one) => finding("file-permissions", node, one)),
    ];
  });
};

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

/** The first process of a machine says nothing about a worker, and neither does a worker that is the first itself. */
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
