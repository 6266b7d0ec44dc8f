import type { Config } from "../cli/options.ts";
import { complaint, type UsageProblem, wrong } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { GivenPlacement } from "./place.ts";
import { type Instead, type Survey, survey, workerByPid, type WorkerProcess } from "../worker/survey.ts";

/** Where to look for workers. */
interface Sought {
  readonly placement: GivenPlacement;
  readonly pidfile: Config["pidfile"] | null;
}

/** Finds out what the process of a pid file is. */
type Named = (proc: Host["proc"], pid: number) => WorkerProcess | Instead | null;

const believed: Named = (proc, pid) => workerByPid(proc, pid, "pidfile");

/**
 * The workers in sight; null: the probe must not look.
 *
 * @param namedBy finds out what the process of a pid file is; default: it is taken for a worker
 */
export function lookAround(
  { placement, pidfile }: Sought,
  host: Host,
  namedBy = believed,
): Outcome<Survey | null, UsageProblem> {
  const { proc } = host;
  if (placement === "remote") return success(null);
  if (pidfile === null || pidfile.value === null) return success(survey(proc));
  const pid = readPidfile(pidfile, host);
  if (!pid.ok) return pid;
  const named = pid.value === null ? null : namedBy(proc, pid.value);
  // A pid file names the worker, so no other worker is looked for.
  const nobodyElse = { visible: proc.pids() !== null, zombies: [] };
  return success(
    named !== null && "command" in named
      ? { ...nobodyElse, workers: [named], instead: null }
      : { ...nobodyElse, workers: [], instead: named },
  );
}

/** The most bytes that are read of a pid file. */
const MOST = 4_096;

/** The process number in the file of `--pidfile`; null: the option is not given, or there is no such file. */
export function readPidfile(
  { value: path, origin }: Config["pidfile"],
  { readFile }: Host,
): Outcome<number | null, UsageProblem> {
  if (path === null) return success(null);
  const file = readFile(path, MOST, "followed");
  if (!file.ok) {
    const { kind, detail } = file.problem;
    // A worker that has not started yet, or has ended, has no pid file.
    if (kind === "gone") return success(null);
    const said =
      kind === "forbidden"
        ? "may not be read: expected a file that this user may read"
        : `${kind === "unfit" ? `is ${detail}` : `cannot be read (${detail})`}: expected a file as celery --pidfile writes it`;
    return wrong(complaint(origin, path, said));
  }
  const text = file.value.trim();
  if (!/^\d{1,9}$/.test(text)) {
    return wrong(
      complaint(origin, path, "holds no process number: expected a file as celery --pidfile writes it"),
    );
  }
  return success(Number(text));
}
