import { type Finding, finding, type Level } from "../finding.ts";
import type { SettingsFacts } from "../facts/settings.ts";
import type { Topic } from "../scene.ts";
import { DEFAULT_POOL, poolRunning, poolWanted } from "../../celery/pool.ts";
import { positive, settingOf } from "../../celery/settings.ts";
import { enforces, type TimeLimit, timeLimits, withoutEffect } from "../../celery/time-limits.ts";
import { containerTimeouts } from "../container-timeouts.ts";
import { type KnownWorker, knownWorkers } from "../workers-known.ts";

/** What workers were told: pool, limits, when children are replaced. */
export const settings: Topic = async (scene) => {
  const workers = await knownWorkers(scene);
  return workers.flatMap((worker): readonly Finding[] => {
    const { node, details } = worker;
    const pool = poolFacts(worker);
    const limits = limitFacts(worker, scene.config["limit-gap"].value / 1_000);
    const timeouts = details?.environment ? containerTimeouts(details.environment, limits) : null;
    return [
      finding("pool", pool.pool === null ? "skipped" : pool.told === null ? "ok" : "warning", node, pool),
      finding("time-limits", limitLevel(limits), node, limits),
      ...(timeouts === null || timeouts.looked === 0
        ? []
        : [
            finding(
              "container-timeouts",
              timeouts.over.length + timeouts.near.length > 0 ? "warning" : "ok",
              node,
              timeouts,
            ),
          ]),
      ...(pool.pool === "prefork" ? [finding("recycling", "ok", node, recyclingOf(worker))] : []),
    ];
  });
};

function poolFacts(worker: KnownWorker): SettingsFacts["pool"] {
  const runs = worker.pool?.name ?? null;
  const wanted = poolWanted({ ...worker, settings: null });
  // A class of the application's own is named by its path.
  const isOther =
    wanted !== null && runs !== null && !/[.:]/.test(wanted.pool + runs) && wanted.pool !== runs;
  return {
    pool: poolRunning(worker.pool, worker),
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

function limitLevel({ soft, hard, gapS, unenforced, without }: SettingsFacts["time-limits"]): Level {
  if (soft > 0 && hard > 0 && soft >= hard) return "problem";
  const isNarrow = soft > 0 && hard > 0 && hard - soft < gapS;
  return isNarrow || unenforced.length > 0 || without.length > 0 ? "warning" : "ok";
}

/** Children are replaced after so many tasks, or above so many kilobytes. */
export function recyclingOf(worker: KnownWorker): SettingsFacts["recycling"] {
  const maxTasks = settingOf("worker_max_tasks_per_child", worker)?.value;
  const maxKilobytes = settingOf("worker_max_memory_per_child", worker)?.value;
  return {
    maxTasks: (worker.pool?.maxTasksPerChild ?? 0) || positive(maxTasks) || null,
    maxKilobytes: positive(maxKilobytes) || null,
  };
}
