import type { Config } from "../cli/options.ts";
import { complaint, type UsageProblem, wrong } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { type Survey, survey, workerByPid } from "../worker/survey.ts";

/** Who is in sight; null where nobody is to be looked for. */
export function lookAround(config: Config, { proc }: Host): Outcome<Survey | null, UsageProblem> {
  if (config.placement.value === "remote") return success(null);
  const { value: path, origin } = config.pidfile;
  if (path === null) return success(survey(proc));
  const file = proc.read(path);
  if (!file.ok && file.problem === "forbidden") {
    return wrong(complaint(origin, path, "may not be read: expected a file that this user may read"));
  }
  // A worker that has not started yet, or has ended, has no such file.
  if (!file.ok) return success(named([], proc.pids() !== null));
  const text = file.value.trim();
  if (!/^\d{1,9}$/.test(text)) {
    return wrong(
      complaint(origin, path, "holds no process number: expected a file as celery --pidfile writes it"),
    );
  }
  const worker = workerByPid(proc, Number(text), "pidfile");
  return success(named(worker === null ? [] : [worker], proc.pids() !== null));
}

/** A pid file names the worker outright: nobody else is looked for. */
function named(workers: Survey["workers"], visible: boolean): Survey {
  return { visible, workers, zombies: [], possible: [] };
}
