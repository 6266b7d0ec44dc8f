/** From 5.2 on `active` takes `safe`; before it, arguments are sent as they are. */
export function describesSafely(version: string): boolean {
  return isFrom(version, 5, 2);
}

/** From 5.7 on a task has `task_time_limit` as its own limit, in front of its pool's (celery/app/task.py `from_config`). */
export function tasksHaveSetting(version: string): boolean {
  return isFrom(version, 5, 7);
}

function isFrom(version: string, wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
