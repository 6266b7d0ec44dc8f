import { type Finding, finding, type Level } from "../finding.ts";
import type { SettingsFacts } from "../facts/settings.ts";
import type { Topic } from "../scene.ts";
import { containerTimeouts, seconds, timeLimits } from "../time-limits.ts";
import { type KnownWorker, knownWorkers, poolIn, poolOf, poolTold } from "../workers-known.ts";

/** What workers were told: pool, limits, when children are replaced. */
export const settings: Topic = async (scene) => {
  const workers = await knownWorkers(scene);
  return workers.flatMap((worker): readonly Finding[] => {
    const { node, details } = worker;
    const pool = poolFacts(worker);
    const limits = timeLimits(worker, scene.config["limit-gap"].value / 1_000);
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
  const { details, pool: stats } = worker;
  const runs = poolIn(stats);
  const told = poolTold(worker);
  const concurrency = stats?.["max-concurrency"] ?? details?.options.get("concurrency");
  return {
    pool: poolOf(worker),
    concurrency: seconds(concurrency) || null,
    told: told !== null && runs !== null && told.pool !== runs ? told : null,
  };
}

function limitLevel({ soft, hard, gapS, unenforced, without }: SettingsFacts["time-limits"]): Level {
  if (soft > 0 && hard > 0 && soft >= hard) return "problem";
  const isNarrow = soft > 0 && hard > 0 && hard - soft < gapS;
  return isNarrow || unenforced.length > 0 || without.length > 0 ? "warning" : "ok";
}

function recyclingOf({ pool: stats, details, conf }: KnownWorker): SettingsFacts["recycling"] {
  const maxTasks =
    stats?.["max-tasks-per-child"] ??
    details?.options.get("max-tasks-per-child") ??
    conf?.["worker_max_tasks_per_child"];
  const maxKilobytes = details?.options.get("max-memory-per-child") ?? conf?.["worker_max_memory_per_child"];
  return { maxTasks: seconds(maxTasks) || null, maxKilobytes: seconds(maxKilobytes) || null };
}
