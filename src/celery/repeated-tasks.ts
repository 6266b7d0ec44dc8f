import type { NamedTask, Unacked } from "./deliveries.ts";
import { nameOf } from "./late-deliveries.ts";
import type { AgedTask, InHand } from "./tasks.ts";

/** In retries. Celery's default of `max_retries` is 3. */
const MANY_RETRIES = 10;

/** The worst task, and how many tasks are like it. */
interface Repeated<T> {
  readonly task: T;
  readonly tasks: number;
}

/** The oldest task that runs several times at once, and its nodes. Null: each task runs once. */
export function runningTwice(
  inHand: InHand,
): (Repeated<AgedTask> & { readonly nodes: readonly string[] }) | null {
  const all = [...inHand].flatMap(([node, tasks]) => tasks.map((task) => ({ node, task })));
  const groups = [...Map.groupBy(all, ({ task }) => task.id).values()].filter(({ length }) => length > 1);
  const [oldest = []] = groups
    .map((one) => one.sort((a, b) => b.task.ageS - a.task.ageS))
    .sort(([a], [b]) => (b?.task.ageS ?? 0) - (a?.task.ageS ?? 0));
  const [first] = oldest;
  if (first === undefined) return null;
  return { task: first.task, nodes: oldest.map(({ node }) => node), tasks: groups.length };
}

/** The task with the most retries. Null: no task was retried often. */
export function mostRetried(
  messages: readonly Unacked[],
): (Repeated<NamedTask> & { readonly retries: number }) | null {
  const retried = messages.filter(({ retries }) => retries > MANY_RETRIES);
  const [most] = retried.sort((a, b) => b.retries - a.retries);
  return most === undefined ? null : { task: most.task, tasks: retried.length, retries: most.retries };
}

/** A task that was put back and delivered again between the two looks. Null: no task was. */
export function deliveredAgain(
  first: readonly Unacked[],
  second: readonly Unacked[],
): Repeated<NamedTask> | null {
  const before = new Set(first.map(nameOf));
  const ids = new Set(first.map(({ task }) => task.id));
  const again = second.filter((one) => one.isRedelivered && ids.has(one.task.id) && !before.has(nameOf(one)));
  const [one] = again;
  return one === undefined ? null : { task: one.task, tasks: again.length };
}
