import { ownEntry } from "../own-entry.ts";
import type { SettingsFacts } from "./facts/settings.ts";
import { type KnownWorker, poolOf } from "./workers-known.ts";

/** Variables by which images set a limit; Celery itself reads only those of its program. */
const SOFT_VARIABLES = [
  "CELERY_TASK_SOFT_TIME_LIMIT",
  "CELERY_WORKER_SOFT_TIME_LIMIT",
  "CELERYD_TASK_SOFT_TIME_LIMIT",
];
const HARD_VARIABLES = [
  "CELERY_TASK_TIME_LIMIT",
  "CELERY_TASK_HARD_TIME_LIMIT",
  "CELERY_WORKER_TIME_LIMIT",
  "CELERYD_TASK_TIME_LIMIT",
];

/** What each pool enforces (celery/concurrency/*.py: gevent ends a task at the hard limit, the others none). */
const ENFORCED: Readonly<Record<string, readonly ("soft" | "hard")[]>> = {
  prefork: ["soft", "hard"],
  gevent: ["hard"],
};

/** The limits that count for a worker: what its pool says, its command line, its settings, else variables. */
export function timeLimits(worker: KnownWorker, gapS: number): SettingsFacts["time-limits"] {
  const { pool: stats, details, conf } = worker;
  const environment = details?.environment ?? new Map<string, string>();
  const pool = poolOf(worker) ?? "prefork";
  const found = [
    ["its pool", timeoutsIn(stats)],
    ["its command line", pair(details?.options.get("soft-time-limit"), details?.options.get("time-limit"))],
    ["its settings", conf === null ? null : pair(conf["task_soft_time_limit"], conf["task_time_limit"])],
    ["its environment", pair(valueOf(environment, SOFT_VARIABLES), valueOf(environment, HARD_VARIABLES))],
  ] as const;
  const [from, limits] = found.find(([, one]) => one !== null) ?? (["nobody", null] as const);
  const [soft, hard] = limits ?? [0, 0];
  // Only a pool that tells its limits shows that a variable has none.
  const isTold = from === "its pool";
  const without = (names: readonly string[], limit: number) =>
    names.filter(
      (name) => isTold && seconds(environment.get(name)) > 0 && seconds(environment.get(name)) !== limit,
    );
  const enforced = ownEntry(ENFORCED, pool) ?? [];
  const isSet = { soft: soft > 0, hard: hard > 0 };
  return {
    ...{ soft, hard, from, gapS, pool },
    unenforced: (["soft", "hard"] as const).filter((kind) => isSet[kind] && !enforced.includes(kind)),
    without: [...without(SOFT_VARIABLES, soft), ...without(HARD_VARIABLES, hard)],
  };
}

/** celery/concurrency/prefork.py `TaskPool._get_info`: soft, hard. */
function timeoutsIn(stats: KnownWorker["pool"]): readonly [number, number] | null {
  const timeouts = stats?.["timeouts"];
  return Array.isArray(timeouts) && timeouts.length === 2
    ? [seconds(timeouts[0]), seconds(timeouts[1])]
    : null;
}

function pair(soft: unknown, hard: unknown): readonly [number, number] | null {
  const both = [seconds(soft), seconds(hard)] as const;
  return both[0] > 0 || both[1] > 0 ? both : null;
}

function valueOf(environment: ReadonlyMap<string, string>, names: readonly string[]): string | undefined {
  return names.map((name) => environment.get(name)).find((value) => seconds(value) > 0);
}

/** 0 where it is none. */
export function seconds(value: unknown): number {
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : NaN;
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/** Timeouts that are none of a task: of connections, sessions, servers, tools, databases. */
const OTHERS =
  /STATEMENT|LOCK|QUERY|SQL|(?:^|_)DB_|DATABASE|TERRAFORM|KUBE|HELM|DOCKER|COMPOSE|NODE_|VISIBILITY|SESSION|LOGIN|COOKIE|CACHE|TOKEN|JWT|IDLE|KEEP_?ALIVE|GRACEFUL|SHUTDOWN|STOP|DRAIN|TERM|BOOT|START|HEALTH|PROBE|GUNICORN|UWSGI|UVICORN|NGINX|PROXY|PIP|NPM|UV_|POETRY|CURL|GIT|APT|BUILD|CI_|TIME_LIMIT/;

/** No timeout of a task is as long, in seconds. */
const MOST_S = 10_000;

/** The `…_TIMEOUT` variables that the rule `timeout < soft < hard`, with a gap between them, does not hold for. */
export function containerTimeouts(
  environment: ReadonlyMap<string, string>,
  { soft, hard, gapS }: SettingsFacts["time-limits"],
): SettingsFacts["container-timeouts"] | null {
  const limit = soft > 0 ? soft : hard;
  if (limit === 0) return null;
  const timeouts = [...environment]
    .filter(([name]) => /_TIMEOUT(?:_SECONDS|_SECS?|_S)?$/.test(name) && !OTHERS.test(name))
    .map(([name, value]) => [name, seconds(value)] as const)
    // More is a number of milliseconds, by all that is known.
    .filter(([, value]) => value > 0 && value < MOST_S)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...{ limit, gapS, kind: soft > 0 ? "soft" : "hard", looked: timeouts.length },
    over: timeouts.filter(([, value]) => value >= limit),
    near: timeouts.filter(([, value]) => value < limit && value > limit - gapS),
  };
}
