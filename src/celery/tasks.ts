import { type NamedTask, shortName } from "./deliveries.ts";
import { isCount } from "../numbers.ts";
import { asObject } from "../pidbox/envelope.ts";
import { readEach } from "../pidbox/query.ts";

/** A task that a worker runs, or that it has fetched. */
export interface TaskInHand {
  readonly name: string;
  readonly id: string;
  /** When it was begun, in seconds since 1970. Null: its pool has not begun it. */
  readonly startS: number | null;
}

/** The tasks in an answer to `active` or `reserved`, the oldest first. Null: the answer has another form. */
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

/** How long the task has run, in seconds; 0: it has not begun. */
export function ageS({ startS }: TaskInHand, nowS: number): number {
  return startS === null ? 0 : Math.max(0, nowS - startS);
}

/** A task that a worker knows. */
export interface Registered {
  readonly name: string;
  /** The task's own hard limit in seconds. Null: it has no limit of its own. */
  readonly limitS: number | null;
  /**
   * How many may begin in an hour on one worker. Null: it has no rate limit. Infinity: its rate limit cannot be read.
   */
  readonly perHour: number | null;
}

/**
 * Reads `tasks.add [time_limit=300]`, an entry of `registered` that was asked for this attribute
 * (celery/worker/control.py).
 */
export function readRegistered(entry: unknown): Registered | null {
  if (typeof entry !== "string") return null;
  const bracket = entry.endsWith("]") ? entry.indexOf(" [") : -1;
  const name = bracket === -1 ? entry : entry.slice(0, bracket);
  const info = bracket === -1 ? "" : entry.slice(bracket + " [".length, -1);
  const limit = Number(/(?:^| )time_limit=([\d.]+)/.exec(info)?.[1] ?? NaN);
  return { name, limitS: limit > 0 ? limit : null, perHour: perHourIn(info) };
}

const PER_HOUR: Readonly<Record<string, number>> = { "": 3_600, s: 3_600, m: 60, h: 1 };

/** Reads `10/m`, or a number per second (celery/utils/time.py `rate`). */
function perHourIn(info: string): number | null {
  const [found, number, unit = ""] = /(?:^| )rate_limit=([\d.]*)\/?([smh]?)/.exec(info) ?? [];
  return found === undefined ? null : Number(number) * (PER_HOUR[unit] ?? 0) || Infinity;
}

/** The tasks of an answer to `registered`, by name. Null: the answer has another form. */
export function registeredTasks(answer: unknown): ReadonlyMap<string, Registered> | null {
  if (!Array.isArray(answer)) return null;
  const read = answer.flatMap((entry: unknown) => readRegistered(entry) ?? []);
  return new Map(read.map((task) => [task.name, task]));
}

/** The tasks that each node knows. Nodes that did not say are missing. */
export type KnownTasks = ReadonlyMap<string, ReadonlyMap<string, Registered>>;

/** @param answers to `registered` */
export function knownBy(answers: ReadonlyMap<string, unknown>): KnownTasks {
  return readEach(answers, registeredTasks);
}

/** Which nodes know a task, and which do not. Nodes that did not say are in neither list. */
export function whoKnows(
  task: string,
  known: KnownTasks,
  nodes: readonly string[],
): { readonly knowing: readonly string[]; readonly ignorant: readonly string[] } {
  const saying = (isKnown: boolean) => nodes.filter((node) => known.get(node)?.has(task) === isKnown);
  return { knowing: saying(true), ignorant: saying(false) };
}

/**
 * Tasks with a rate limit, in answers to `registered`, by their names in messages. The value is how many may begin in
 * an hour on all workers together.
 */
export function ratedAmong(answers: Iterable<unknown>): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { name, perHour } of [...answers].flatMap((one) => [
    ...(registeredTasks(one)?.values() ?? []),
  ])) {
    if (perHour !== null) found.set(shortName(name), (found.get(shortName(name)) ?? 0) + perHour);
  }
  return found;
}

/** How many tasks a worker has begun since its start, from an answer to `stats`. Null: the answer does not say. */
export function tasksBegun(stats: unknown): number | null {
  const total = asObject(asObject(stats)?.["total"]);
  if (total === null) return null;
  return Object.values(total).reduce<number>((sum, count) => sum + (isCount(count) ? count : 0), 0);
}

/** Every worker has Celery's own tasks, and no answer lists them. */
export function isBuiltIn(task: string): boolean {
  return task.startsWith("celery.");
}

/** How many tasks all workers have begun together. A worker that does not say counts as 0. */
export function begunBy(stats: ReadonlyMap<string, unknown>): number {
  return [...stats.values()].reduce<number>((sum, one) => sum + (tasksBegun(one) ?? 0), 0);
}

export interface AgedTask extends NamedTask {
  /** The task's running time in seconds. Its start is by the worker's clock, now is by ours. */
  readonly ageS: number;
}

/** The tasks in an answer to `active`, the oldest first. Null: the answer has another form. */
export function agedTasks(answer: unknown, nowS: number): readonly AgedTask[] | null {
  const tasks = readTasks(answer);
  if (tasks === null) return null;
  return tasks.map((task) => ({
    name: shortName(task.name),
    id: shortName(task.id),
    ageS: ageS(task, nowS),
  }));
}

/** The running tasks of each node that answered, the oldest first. */
export type InHand = ReadonlyMap<string, readonly AgedTask[]>;
