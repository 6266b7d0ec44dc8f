import type { SettingsFacts } from "../../doctor/facts/settings.ts";
import { amount, bytes, names } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const SETTINGS_WORDS: WordsOf<SettingsFacts> = {
  "always-eager": ({ by }) => ({
    seen: `task_always_eager is set in its ${by}: programs with these settings run tasks themselves, and send none`,
    next: "set task_always_eager only in the settings of tests",
  }),
  pool: ({ pool, concurrency, told, isTold, recycling }) => ({
    seen: [
      (pool ?? "its pool is unknown") + (concurrency === null ? "" : `, concurrency ${concurrency}`),
      ...recyclingWords(recycling),
      ...(isTold || pool === null ? [] : ["the worker itself did not say"]),
      ...(told === null ? [] : [`${told.by} says ${told.pool}`]),
    ].join("; "),
    next:
      told === null
        ? null
        : "worker_pool in the application's settings decides, or a wrapper that puts -P in front",
  }),
  "time-limits"({ soft, hard, from, gapS, isTold, unenforced, pool, without }, _, __, faults) {
    const limits =
      soft === 0 && hard === 0
        ? isTold
          ? "none"
          : "unknown: the worker did not say"
        : `${soft === 0 ? "no soft limit" : `soft ${soft} s`}, ${hard === 0 ? "no hard limit" : `hard ${hard} s`} (by ${from})`;
    const seen = [
      limits,
      ...(unenforced.length > 0
        ? [`a ${pool ?? ""} pool does not enforce the ${unenforced.join(" and the ")} one`]
        : []),
      ...(without.length > 0 ? [`without effect: ${names(without)}`] : []),
    ].join("; ");
    const next = [
      ...(faults.includes("limits-turned")
        ? [`set soft below hard, ${gapS} s apart or more: a task is killed before it receives its soft limit`]
        : []),
      ...(faults.includes("limits-narrow")
        ? [`set soft and hard ${gapS} s apart or more (--limit-gap): a task has ${hard - soft} s to clean up`]
        : []),
      ...(unenforced.length > 0
        ? ["use -P prefork where limits matter, or give the task's own calls timeouts"]
        : []),
      ...(without.length > 0
        ? [
            `the settings task_soft_time_limit and task_time_limit count: set the limit there, and leave out ${names(without)}`,
          ]
        : []),
    ];
    return { seen, next: next.length === 0 ? null : next.join("; ") };
  },
  "container-timeouts"({ limit, kind, gapS, looked, over, near }, level) {
    const list = (some: readonly (readonly [string, number])[]) =>
      names(some.map(([name, value]) => `${name}=${value}`));
    if (level !== "warning") {
      return `${amount(looked, "timeout")} in its environment, all ${gapS} s or more below the ${kind} limit of ${limit} s`;
    }
    const seen = [
      ...(over.length > 0 ? [`not below the ${kind} limit of ${limit} s: ${list(over)}`] : []),
      ...(near.length > 0
        ? [`less than ${gapS} s below the ${kind} limit of ${limit} s: ${list(near)}`]
        : []),
    ].join("; ");
    return {
      seen,
      next: "a timeout must end the wait before the limit ends the task: timeout < soft < hard, with room between them",
    };
  },
};

function recyclingWords(recycling: SettingsFacts["pool"]["recycling"]): readonly string[] {
  if (recycling === null) return [];
  const { maxTasks, maxKilobytes } = recycling;
  const rules = [
    ...(maxTasks === null ? [] : [`after ${maxTasks} tasks`]),
    ...(maxKilobytes === null ? [] : [`above ${bytes(maxKilobytes * 1_024)}`]),
  ];
  return [rules.length === 0 ? "children are never replaced" : `a child is replaced ${rules.join(", or ")}`];
}
