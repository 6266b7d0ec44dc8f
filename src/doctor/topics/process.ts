import type { FileLook, Files } from "../../machine/parts.ts";
import { ageMs } from "../../worker/age.ts";
import type { WorkerDetails } from "../../worker/in-sight.ts";
import { identityOf, mayWrite } from "../../worker/may-write.ts";
import { statOf } from "../../worker/process-status.ts";
import { DEFAULT_POOL, poolRunning } from "../../celery/pool.ts";
import type { WorkerProcess } from "../../worker/survey.ts";
import { controlGroup, cpuMs, machineMemory, residentBytes } from "../../worker/usage.ts";
import type { ProcessFacts } from "../facts/process.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";
import { type KnownWorker, knownWorkers } from "../workers-known.ts";
import { recyclingOf } from "./settings.ts";

/** What engines leave in a container: Docker, Podman. */
const MARKS = ["/.dockerenv", "/run/.containerenv"] as const;

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
    const kills = controlGroup(scene.host.proc, worker.process.pid).oomKills;
    const interpreter = interpreterFacts(scene, worker);
    return [
      finding("memory", node, memoryFacts(scene, worker)),
      ...(kills === null ? [] : [finding("oom-kills", node, { count: kills })]),
      finding("restarts", node, restartFacts(scene, worker, isContainer)),
      ...(cpu === null ? [] : [finding("cpu", node, cpu)]),
      ...(interpreter === null ? [] : [finding("interpreter", node, interpreter)]),
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
    isPrefork: (poolRunning(worker.pool, worker) ?? DEFAULT_POOL) === "prefork",
    throttled:
      after.throttled === null || before.throttled === null ? null : after.throttled - before.throttled,
  };
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
  const unseen: string[] = [];
  const bad = given.flatMap(({ option, path }): readonly Finding[] => {
    const root = path.startsWith("/") ? `/proc/${process.pid}/root` : `/proc/${process.pid}/cwd/`;
    const file = path.includes("%") ? null : files.look(root + path);
    const name = `--${option}`;
    const judged = (shown: string, isFolder: boolean, look: FileLook) => {
      const about = { option: name, path: shown, isFolder };
      if (look.isReadOnly) return [finding("file-permissions", node, { kind: "read-only", ...about })];
      if (mayWrite(identity, look)) return [];
      const owner = `${look.uid}:${look.gid}`;
      const user = `${identity.uid}:${identity.groups[0] ?? ""}`;
      const mode = look.mode.toString(8);
      return [finding("file-permissions", node, { kind: "forbidden", ...about, owner, mode, user })];
    };
    if (file?.ok) return judged(path, false, file.value);
    const folder = folderOf(path);
    const look = file?.problem === "forbidden" ? file : files.look(root + folder);
    if (look.ok) return judged(folder, true, look.value);
    if (look.problem !== "forbidden")
      return [finding("file-permissions", node, { kind: "no-folder", option: name, path: folder })];
    unseen.push(path);
    return [];
  });
  if (unseen.length > 0)
    return [...bad, finding("file-permissions", node, { kind: "unseen", files: unseen })];
  if (bad.length > 0 || given.length === 0) return bad;
  return [finding("file-permissions", node, { kind: "writable", files: given.map(({ path }) => path) })];
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
