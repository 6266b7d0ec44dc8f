import { asObject } from "../pidbox/envelope.ts";

/** Versions in a node's `report`. */
export interface Software {
  readonly celery: string;
  readonly kombu: string;
}

/**
 * Reads the line `software -> celery:5.2.6 (dawn-chorus) kombu:5.2.4 py:3.11.2` of a report (celery/app/utils.py
 * `bugreport`).
 */
export function softwareIn(text: string): Software | null {
  const celery = /celery:(\d+(?:\.\w+)+)/.exec(text)?.[1];
  const kombu = /kombu:(\d+(?:\.\w+)+)/.exec(text)?.[1];
  return celery === undefined || kombu === undefined ? null : { celery, kombu };
}

/** The text in an answer to `report`. Null for anything else. */
export function reportText(result: unknown): string | null {
  const text = asObject(result)?.["ok"];
  return typeof text === "string" ? text : null;
}

/** The versions in an answer to `report`. Null: it does not tell. */
export function softwareTold(result: unknown): Software | null {
  return softwareIn(reportText(result) ?? "");
}

/**
 * Whether `active` can be asked without harm. From 5.2 on it takes `safe`; older versions send arguments as they are.
 * Null: the version is not known.
 */
export function describesSafely(version: string | null): boolean {
  return version !== null && isFrom(version, 5, 2);
}

/**
 * From 5.7 on a task has `task_time_limit` as its own limit, which comes before its pool's (celery/app/task.py
 * `from_config`).
 */
export function tasksHaveSetting(version: string): boolean {
  return isFrom(version, 5, 7);
}

function isFrom(version: string, wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
