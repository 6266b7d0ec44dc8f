import { positive } from "../celery/settings.ts";
import type { SettingsFacts } from "./facts/settings.ts";

/** Names of timeouts that tasks do not have: connections, sessions, servers, tools, databases. */
const OTHERS =
  /STATEMENT|LOCK|QUERY|SQL|(?:^|_)DB_|DATABASE|TERRAFORM|KUBE|HELM|DOCKER|COMPOSE|NODE_|VISIBILITY|SESSION|LOGIN|COOKIE|CACHE|TOKEN|JWT|IDLE|KEEP_?ALIVE|GRACEFUL|SHUTDOWN|STOP|DRAIN|TERM|BOOT|START|HEALTH|PROBE|GUNICORN|UWSGI|UVICORN|NGINX|PROXY|PIP|NPM|UV_|POETRY|CURL|GIT|APT|BUILD|CI_|TIME_LIMIT/;

/** In seconds. No task has a timeout as long as this. */
const MOST_S = 10_000;

/** The `…_TIMEOUT` variables that break the rule `timeout < soft < hard`, or leave too small a gap. */
export function containerTimeouts(
  environment: ReadonlyMap<string, string>,
  { soft, hard, gapS, isTold }: SettingsFacts["time-limits"],
): SettingsFacts["container-timeouts"] | null {
  const limit = soft > 0 ? soft : hard;
  if (limit === 0) return null;
  const timeouts = [...environment]
    .filter(([name]) => /_TIMEOUT(?:_SECONDS|_SECS?|_S)?$/.test(name) && !OTHERS.test(name))
    .map(([name, value]) => [name, positive(value)] as const)
    // A larger number is probably in milliseconds.
    .filter(([, value]) => value > 0 && value < MOST_S)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...{ limit, gapS, isTold, kind: soft > 0 ? "soft" : "hard", looked: timeouts.length },
    over: timeouts.filter(([, value]) => value >= limit),
    near: timeouts.filter(([, value]) => value < limit && value > limit - gapS),
  };
}
