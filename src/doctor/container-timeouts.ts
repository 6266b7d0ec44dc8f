import { positive } from "../celery/settings.ts";
import type { SettingsFacts } from "./facts/settings.ts";

/** Timeouts that no task has: of connections, sessions, servers, tools, databases. */
const OTHERS =
  /STATEMENT|LOCK|QUERY|SQL|(?:^|_)DB_|DATABASE|TERRAFORM|KUBE|HELM|DOCKER|COMPOSE|NODE_|VISIBILITY|SESSION|LOGIN|COOKIE|CACHE|TOKEN|JWT|IDLE|KEEP_?ALIVE|GRACEFUL|SHUTDOWN|STOP|DRAIN|TERM|BOOT|START|HEALTH|PROBE|GUNICORN|UWSGI|UVICORN|NGINX|PROXY|PIP|NPM|UV_|POETRY|CURL|GIT|APT|BUILD|CI_|TIME_LIMIT/;

/** No timeout of a task is as long, in seconds. */
const MOST_S = 10_000;

/** The `…_TIMEOUT` variables that the rule `timeout < soft < hard`, with a gap between them, does not hold for. */
export function containerTimeouts(
  environment: ReadonlyMap<string, string>,
  { soft, hard, gapS, isTold }: SettingsFacts["time-limits"],
): SettingsFacts["container-timeouts"] | null {
  const limit = soft > 0 ? soft : hard;
  if (limit === 0) return null;
  const timeouts = [...environment]
    .filter(([name]) => /_TIMEOUT(?:_SECONDS|_SECS?|_S)?$/.test(name) && !OTHERS.test(name))
    .map(([name, value]) => [name, positive(value)] as const)
    // More is a number of milliseconds, by all that is known.
    .filter(([, value]) => value > 0 && value < MOST_S)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...{ limit, gapS, isTold, kind: soft > 0 ? "soft" : "hard", looked: timeouts.length },
    over: timeouts.filter(([, value]) => value >= limit),
    near: timeouts.filter(([, value]) => value < limit && value > limit - gapS),
  };
}
