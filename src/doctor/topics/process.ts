import type { Files } from "../../machine/parts.ts";
import { ageMs } from "../../worker/age.ts";
import type { WorkerDetails } from "../../worker/in-sight.ts";
import { identityOf, mayWrite } from "../../worker/may-write.ts";
import { statOf } from "../../worker/process-status.ts";
import { DEFAULT_POOL, poolRunning } from "../../celery/pool.ts";
import type { WorkerProcess } from "../../worker/survey.ts";
import { controlGroup, cpuMs, machineMemory, residentBytes } from "../../worker/usage.ts";
import type { ProcessFacts } from "../facts/process.ts";
import { type Finding, finding } from "../finding.ts";
import type { Scene, Topic } from "../scene.ts";
import { type KnownWorker, knownWorkers } from "../workers-known.ts";
import { recyclingOf } from "./settings.ts";

/** Used for more than this share of its limit, memory is a warning. */
const FULL = 0.9;

/** Of the machine's memory less than this share is left: a warning. */
const SCARCE = 0.05;

/** A worker so young, in seconds, in a container that is older by so much, has been restarted a moment ago. */
const YOUNG_S = 600;
const OLDER_S = 300;

/** What engines leave in a container: Docker, Podman. */
const MARKS = ["/.dockerenv", "/run/.containerenv"] as const;

/** A prefork main that uses this share of a core hands out tasks as fast as it can. */
const BUSY = 0.9;

/** A worker that takes less of a core has not been held back itself; the clock of /proc has hundredths of a second. */
const IDLE = 0.01;

type Seen = KnownWorker & { readonly process: WorkerProcess; readonly details: WorkerDetails };

/** The processes of the workers in sight, their memory, time and files. */
export const processes: Topic = async (scene) => {
  const workers = (await knownWorkers(scene)).filter(
    (worker): worker is Seen => worker.process !== null && worker.details !== null,
  );
  if (workers.length === 0) return [];
  const files = await scene.host.files();
  const isContainer =
    MARKS.some((mark) => files.look(mark).ok) || scene.host.env["KUBERNETES_SERVICE_HOST"] !== undefined;
  const before = workers.map((worker) => timesOf(scene, worker));
  await scene.observed();
  return workers.flatMap((worker, position) => {
    const { node } = worker;
    const cpu = cpuFacts(scene, worker, before[position]);
    const memory = memoryFacts(scene, worker);
    const kills = controlGroup(scene.host.proc, worker.process.pid).oomKills;
    const restarts = restartFacts(scene, worker, isContainer);
    const interpreter = interpreterFacts(scene, worker);
    return [
      finding("memory", isScarce(memory) ? "warning" : "ok", node, memory),
      ...(kills === null ? [] : [finding("oom-kills", kills > 0 ? "problem" : "ok", node, { count: kills })]),
      finding("restarts", isRestarted(restarts) ? "warning" : "ok", node, restarts),
      ...(cpu === null ? [] : [finding("cpu", isHot(cpu, worker) ? "warning" : "ok", node, cpu)]),
      ...(interpreter === null
        ? []
        : [finding("interpreter", interpreter.foreignScript === null ? "ok" : "warning", node, interpreter)]),
      ...fileFindings(scene, worker, files),
    ];
  });
};

function memoryFacts({ host: { proc } }: Scene, worker: Seen): ProcessFacts["memory"] {
  const { process, details } = worker;
  const children = details.children.map((pid) => residentBytes(proc, pid) ?? 0);
  const { memoryLimit, memoryUsed } = controlGroup(proc, process.pid);
  const { maxTasks, maxKilobytes } = recyclingOf(worker);
  return {
    main: residentBytes(proc, process.pid) ?? 0,
    children: children.reduce((sum, one) => sum + one, 0),
    largestChild: Math.max(0, ...children),
    count: children.length,
    limit: memoryLimit,
    used: memoryUsed,
    available: machineMemory(proc)?.available ?? null,
    isRecycled: maxTasks !== null || maxKilobytes !== null,
  };
}

function isScarce({ limit, used, available, main, children }: ProcessFacts["memory"]): boolean {
  if (limit !== null && used !== null && used > limit * FULL) return true;
  return available !== null && available < (available + main + children) * SCARCE;
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

/** Whether it has been restarted a moment ago. */
export function isRestarted({ upS, containerUpS }: ProcessFacts["restarts"]): boolean {
  return containerUpS !== null && upS < YOUNG_S && containerUpS - upS > OLDER_S;
}

/** Milliseconds of CPU time, and when it was read. */
interface Times {
  readonly atMs: number;
  readonly main: number | null;
  readonly children: ReadonlyMap<number, number>;
  /** This process'. */
  readonly own: number;
  readonly throttled: number | null;
}

function timesOf({ host: { proc, now } }: Scene, { process, details }: Seen): Times {
  return {
    atMs: now(),
    main: cpuMs(proc, process.pid),
    children: new Map(details.children.map((pid) => [pid, cpuMs(proc, pid) ?? 0])),
    own: cpuMs(proc, proc.self) ?? 0,
    throttled: controlGroup(proc, process.pid).throttled,
  };
}

function cpuFacts(scene: Scene, worker: Seen, before: Times | undefined): ProcessFacts["cpu"] | null {
  const after = timesOf(scene, worker);
  const overMs = before === undefined ? 0 : after.atMs - before.atMs;
  if (before?.main === undefined || before.main === null || after.main === null || overMs <= 0) return null;
  const used = [...after.children].reduce((sum, [pid, ms]) => sum + ms - (before.children.get(pid) ?? ms), 0);
  return {
    main: (after.main - before.main) / overMs,
    children: used / overMs,
    own: (after.own - before.own) / overMs,
    overMs,
    throttled:
      after.throttled === null || before.throttled === null ? null : after.throttled - before.throttled,
  };
}

/** In other pools the main process runs the tasks. What holds the container back may be this doctor's own work. */
function isHot({ main, children, own, throttled }: ProcessFacts["cpu"], worker: Seen): boolean {
  const isPrefork = (poolRunning(worker.pool, worker) ?? DEFAULT_POOL) === "prefork";
  return (isPrefork && main > BUSY) || ((throttled ?? 0) > 0 && main + children > Math.max(own, IDLE));
}

function interpreterFacts(
  { host: { proc } }: Scene,
  { process, details }: Seen,
): ProcessFacts["interpreter"] | null {
  const executable = proc.link(`/proc/${process.pid}/exe`);
  const path = details.interpreter?.includes("/")
    ? details.interpreter
    : executable.ok
      ? executable.value
      : null;
  if (path === null) return null;
  const { script } = details;
  const isForeign =
    script !== null &&
    /(?:^|\/)celery$/.test(script) &&
    script.startsWith("/") &&
    path.startsWith("/") &&
    folderOf(script) !== folderOf(path);
  return {
    path,
    pythonPath: details.environment?.get("PYTHONPATH") ?? null,
    foreignScript: isForeign ? script : null,
  };
}

/** Options of `celery worker` that name a file which it writes. */
const FILES = ["logfile", "pidfile", "statedb", "schedule-filename"] as const;

function fileFindings({ host: { proc } }: Scene, { node, process }: Seen, files: Files): readonly Finding[] {
  const identity = identityOf(proc, process.pid);
  if (identity === null) return [];
  const given = FILES.flatMap((option) => {
    const path = process.command.values.get(option);
    // %n and its like are filled in by Celery: the folder is what can be looked at then.
    return path === undefined || path === "" || path === "-" ? [] : [{ option, path }];
  });
  const bad = given.flatMap(({ option, path }): readonly Finding[] => {
    const root = path.startsWith("/") ? `/proc/${process.pid}/root` : `/proc/${process.pid}/cwd/`;
    const file = path.includes("%") ? null : files.look(root + path);
    const name = `--${option}`;
    const forbidden = (isFolder: boolean, shown: string, look: { uid: number; gid: number; mode: number }) =>
      finding("file-permissions", "problem", node, {
        kind: "forbidden",
        ...{ option: name, path: shown, isFolder },
        owner: `${look.uid}:${look.gid}`,
        mode: look.mode.toString(8),
        user: `${identity.uid}:${identity.groups[0] ?? ""}`,
      });
    if (file?.ok) return mayWrite(identity, file.value) ? [] : [forbidden(false, path, file.value)];
    if (file?.problem === "forbidden") return [];
    const folder = folderOf(path);
    const look = files.look(root + folder);
    if (look.ok) return mayWrite(identity, look.value) ? [] : [forbidden(true, folder, look.value)];
    return look.problem === "forbidden"
      ? []
      : [finding("file-permissions", "problem", node, { kind: "no-folder", option: name, path: folder })];
  });
  if (bad.length > 0 || given.length === 0) return bad;
  return [
    finding("file-permissions", "ok", node, { kind: "writable", files: given.map(({ path }) => path) }),
  ];
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
