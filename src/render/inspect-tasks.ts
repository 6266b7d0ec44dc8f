import { isRecord, type Shown, show } from "./inspect-results.ts";
import { amount, seconds } from "./speech.ts";
import { cut } from "./table.ts";

type TaskMethod = "active" | "reserved" | "scheduled" | "query_task";

/**
 * A task as a worker describes it (celery/worker/request.py `Request.info`), and its state. Null: the answer has no
 * state.
 */
interface Entry {
  readonly task: unknown;
  readonly state: string | null;
}

/** Linux' largest pid. Pools of threads and greenlets report a larger number of their own instead of a pid. */
const HIGHEST_PID = 4_194_304;

/**
 * Tasks for people: name and age, id, arguments, in two or three lines each.
 *
 * @param nowS seconds since 1970
 */
export function tasksLines(method: TaskMethod, result: unknown, nowS: number): Shown {
  const entries = entriesOf(method, result);
  if (entries === null) return { summary: null, lines: [show(result)] };
  return {
    summary: entries.length === 0 ? "none" : amount(entries.length, "task"),
    lines: entries.flatMap((entry) => entryLines(entry, nowS)),
  };
}

function entriesOf(method: TaskMethod, result: unknown): readonly Entry[] | null {
  if (method === "query_task") {
    if (!isRecord(result)) return null;
    return Object.values(result).map((found: unknown) =>
      Array.isArray(found)
        ? { task: found[1] as unknown, state: show(found[0]) }
        : { task: found, state: null },
    );
  }
  if (!Array.isArray(result)) return null;
  return result.map((one: unknown) =>
    method === "scheduled" && isRecord(one)
      ? { task: one["request"], state: `not before ${show(one["eta"])}, priority ${show(one["priority"])}` }
      : { task: one, state: null },
  );
}

function entryLines({ task, state }: Entry, nowS: number): readonly string[] {
  if (!isRecord(task)) return [cut(show(task))];
  const { id, name, args, kwargs, time_start: start, worker_pid: pid } = task;
  const age = typeof start === "number" ? `for ${seconds(Math.max(0, nowS - start))}` : null;
  const where = typeof pid === "number" && pid <= HIGHEST_PID ? `in process ${pid}` : null;
  const said = [state, age, where].filter((one) => one !== null).join(", ");
  const given = [args, kwargs].filter((one) => one !== undefined && !isNothing(one)).map((one) => show(one));
  return [
    said === "" ? show(name) : `${show(name)}  ${said}`,
    `  ${show(id)}`,
    ...(given.length === 0 ? [] : [cut(`  ${given.join(" ")}`)]),
  ];
}

/** Whether there are no arguments, as a list or as Python writes it. */
function isNothing(given: unknown): boolean {
  return /^(?:\(\)|\[\]|\{\}|null|)$/.test(show(given));
}
