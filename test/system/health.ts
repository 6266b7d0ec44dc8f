import type { Docker } from "./docker.ts";
import { until } from "./until.ts";

/** One run of a container's health check, as `docker inspect` shows it. */
export interface HealthRun {
  /** RFC 3339 with nanoseconds. */
  readonly start: string;
  readonly exitCode: number;
  readonly output: string;
}

/** `.State.Health` of `docker inspect`; the engine keeps the last five runs. */
export interface Health {
  readonly status: string;
  readonly runs: readonly HealthRun[];
}

/**
 * The health of a container with a health check. @throws Error if it has no health check, or shows it in another form
 */
export async function healthOf(docker: Docker, container: string): Promise<Health> {
  const text = await docker.run(["inspect", "--format", "{{json .State.Health}}", container]);
  const health: unknown = JSON.parse(text);
  if (!isShownHealth(health)) throw new Error(`not a health: ${text}`);
  const runs = health.Log.map((run) => ({ start: run.Start, exitCode: run.ExitCode, output: run.Output }));
  return { status: health.Status, runs };
}

/** Waits for a status, e.g. `healthy`. @throws Error with the last health if it does not come within `withinMs` */
export async function untilStatus(
  docker: Docker,
  container: string,
  status: string,
  withinMs: number,
): Promise<Health> {
  return until(
    `${container} becomes ${status}`,
    withinMs,
    async () => {
      const health = await healthOf(docker, container);
      return health.status === status ? health : undefined;
    },
    async () => JSON.stringify(await healthOf(docker, container), undefined, 1),
  );
}

/** The first `count` runs that begin from now on. The engine forgets runs, so they are collected as they come. */
export async function nextRuns(
  docker: Docker,
  container: string,
  count: number,
  withinMs: number,
): Promise<readonly HealthRun[]> {
  const began = Date.now();
  const found = new Map<string, HealthRun>();
  return until(`${count} runs of the health check of ${container}`, withinMs, async () => {
    for (const run of (await healthOf(docker, container)).runs) {
      if (Date.parse(run.start) >= began) found.set(run.start, run);
    }
    return found.size >= count ? [...found.values()].slice(0, count) : undefined;
  });
}

interface ShownHealth {
  readonly Status: string;
  readonly Log: readonly { readonly Start: string; readonly ExitCode: number; readonly Output: string }[];
}

function isShownHealth(value: unknown): value is ShownHealth {
  if (typeof value !== "object" || value === null) return false;
  const { Status, Log } = value as Partial<Record<keyof ShownHealth, unknown>>;
  return typeof Status === "string" && Array.isArray(Log);
}
