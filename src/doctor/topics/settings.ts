import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import type { SettingsFacts } from "../facts/settings.ts";
import type { Topic } from "../scene.ts";
import { DEFAULT_POOL, poolRunning, poolWanted, recyclingOf } from "../../celery/pool.ts";
import { positive, settingOf } from "../../celery/settings.ts";
import { enforces, type TimeLimit, timeLimits, withoutEffect } from "../../celery/time-limits.ts";
import { wholeEnvironment } from "../../worker/environment.ts";
import { containerTimeouts } from "../container-timeouts.ts";
import { type KnownWorker, knownWorkers } from "../workers-known.ts";

/** How the workers are set up: pool, limits, replacement of children. */
export const settings: Topic = async (scene) => {
  const workers = await knownWorkers(scene);
  return workers.flatMap((worker): readonly Finding[] => {
    const { node, process } = worker;
    const limits = limitFacts(worker, scene.config["limit-gap"].value / 1_000);
    const environment = process === null ? null : wholeEnvironment(scene.host.proc, process.pid);
    const timeouts = environment === null ? null : containerTimeouts(environment, limits);
    return [
      finding("pool", node, poolFacts(worker)),
      ...(worker.settings?.get("task_always_eager") === true
        ? [finding("always-eager", node, { by: "settings" } as const)]
        : []),
      finding("time-limits", node, limits),
      ...(timeouts === null || timeouts.looked === 0 ? [] : [finding("container-timeouts", node, timeouts)]),
    ];
  });
};

function poolFacts(worker: KnownWorker): SettingsFacts["pool"] {
  const runs = worker.pool?.name ?? null;
  const wanted = poolWanted({ ...worker, settings: null });
  // A pool class of the application has a path for its name, which cannot be compared.
  const isOther =
    wanted !== null && runs !== null && !/[.:]/.test(wanted.pool + runs) && wanted.pool !== runs;
  const pool = poolRunning(worker.pool, worker);
  return {
    pool,
    isTold: worker.pool !== null || worker.settings !== null,
    recycling: pool === "prefork" ? recyclingOf(worker.pool, worker) : null,
    concurrency: worker.pool?.size ?? (positive(settingOf("worker_concurrency", worker)?.value) || null),
    told: isOther ? wanted : null,
  };
}

function limitFacts(worker: KnownWorker, gapS: number): SettingsFacts["time-limits"] {
  const pool = poolRunning(worker.pool, worker) ?? DEFAULT_POOL;
  const limits = timeLimits(worker);
  const { soft, hard } = limits;
  return {
    ...{ soft: soft.seconds, hard: hard.seconds, from: whoseWords(soft, hard), gapS, pool },
    unenforced: (["soft", "hard"] as const).filter(
      (kind) => limits[kind].seconds > 0 && !enforces(pool, kind),
    ),
    isTold: worker.pool?.timeouts !== undefined || worker.settings !== null,
    without: withoutEffect(worker, limits),
  };
}

const WHOSE = {
  pool: "its pool",
  option: "its command line",
  variable: "its environment",
  conf: "its settings",
} as const;

function whoseWords(soft: TimeLimit, hard: TimeLimit): string {
  const set = [soft, hard].filter(({ seconds }) => seconds > 0);
  const whose = new Set(set.map(({ by }) => (by === null ? "nobody" : WHOSE[by])));
  return [...whose].join(" and ") || "nobody";
}
