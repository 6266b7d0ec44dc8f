import { type NamedTask, shortName } from "./deliveries.ts";
import { asObject } from "../pidbox/envelope.ts";

/** A task that a worker has in hand. */
export interface TaskInHand {
  readonly name: string;
  readonly id: string;
  /** When it was begun, in seconds since 1970; null: its pool has not begun it. */
  readonly startS: number | null;
}

/** The tasks in an answer to `active` or `reserved`, the oldest first; null: it is none. */
export function readTasks(answer: unknown): readonly TaskInHand[] | null {
  if (!Array.isArray(answer)) return null;
  return answer
    .flatMap((entry: unknown): readonly TaskInHand[] => {
      const { name, id, time_start: start } = asObject(entry) ?? {};
      if (typeof name !== "string" || typeof id !== "string") return [];
      return [{ name, id, startS: typeof start === "number" && start > 0 ? start : null }];
    })
    .sort((a, b) => (a.startS ?? Infinity) - (b.startS ?? Infinity));
}

/** For how long it has run, in seconds; 0: it has not begun. */
export function ageS({ startS }: TaskInHand, nowS: number): number {
  return startS === null ? 0 : Math.max(0, nowS - startS);
}

/** `tasks.add [time_limit=300]`, as `registered` writes it when it is asked for that (celery/worker/control.py). */
export function readRegistered(
  entry: unknown,
): { readonly name: string; readonly limitS: number | null } | null {
  if (typeof entry !== "string") return null;
  const bracket = entry.endsWith("]") ? entry.indexOf(" [") : -1;
  const name = bracket === -1 ? entry : entry.slice(0, bracket);
  const info = bracket === -1 ? "" : entry.slice(bracket + " [".length, -1);
  const limit = Number(/(?:^| )time_limit=([\d.]+)/.exec(info)?.[1] ?? NaN);
  return { name, limitS: limit > 0 ? limit : null };
}

/** The names in an answer to `registered`; null: it is none. */
export function registeredNames(answer: unknown): ReadonlySet<string> | null {
  if (!Array.isArray(answer)) return null;
  return new Set(answer.flatMap((entry: unknown) => readRegistered(entry)?.name ?? []));
}

/** Celery's own tasks are in every worker and in no answer. */
export function isBuiltIn(task: string): boolean {
  return task.startsWith("celery.");
}

export interface AgedTask extends NamedTask {
  /** Seconds since it was begun, by the worker's clock and ours. */
  readonly ageS: number;
}

/** The tasks in an answer to `active`, the oldest first; null: it is none. */
export function agedTasks(answer: unknown, nowS: number): readonly AgedTask[] | null {
  const tasks = readTasks(answer);
  if (tasks === null) return null;
  return tasks.map((task) => ({
    name: shortName(task.name),
    id: shortName(task.id),
    ageS: ageS(task, nowS),
  }));
}
