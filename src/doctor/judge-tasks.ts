import { ageS, readTasks } from "../celery/tasks.ts";
import { asObject, openEnvelope, parseJson } from "../pidbox/envelope.ts";
import type { AgedTask, NamedTask } from "./facts/tasks.ts";
import { isoSeconds } from "./iso-time.ts";

/** Longer names are nobody's. */
const LONGEST = 120;

/** The tasks in an answer to `active`, the oldest first; null: it is none. */
export function agedTasks(answer: unknown, nowS: number): readonly AgedTask[] | null {
  const tasks = readTasks(answer);
  if (tasks === null) return null;
  return tasks.map((task) => ({ name: cut(task.name), id: cut(task.id), ageS: ageS(task, nowS) }));
}

function cut(text: string): string {
  return text.slice(0, LONGEST);
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

/**
 * The task of a message: `headers.task` in protocol 2, the body's `task` in protocol 1 (celery/app/amqp.py); null where
 * it cannot be read.
 */
export function taskOfMessage(text: string): NamedTask | null {
  const envelope = openEnvelope(text);
  if (envelope === null) return null;
  const { task, id } = envelope.headers;
  if (typeof task === "string") return { name: cut(task), id: cut(typeof id === "string" ? id : "") };
  if (envelope.contentType !== "application/json") return null;
  const body = asObject(parseJson(envelope.body.toString("utf8")));
  const { task: name, id: number } = body ?? {};
  return typeof name === "string"
    ? { name: cut(name), id: cut(typeof number === "string" ? number : "") }
    : null;
}

/** A message that is delivered and not acknowledged. */
export interface Unacked {
  readonly task: NamedTask;
  /** Seconds since 1970; null: none, or it does not say in which zone. */
  readonly etaS: number | null;
  readonly deliveredS: number;
}

/** Reads a value of kombu's `unacked`, `[message, exchange, routing key]` (kombu/transport/redis.py `QoS.append`). */
export function readUnacked(text: string, deliveredS: number): Unacked | null {
  const entry = parseJson(text);
  const message: unknown = Array.isArray(entry) ? entry[0] : null;
  const envelope = asObject(message);
  if (envelope === null) return null;
  const raw = JSON.stringify(envelope);
  const task = taskOfMessage(raw);
  return task === null ? null : { task, etaS: etaOf(raw), deliveredS };
}

function etaOf(text: string): number | null {
  const envelope = openEnvelope(text);
  if (envelope === null) return null;
  const body = "task" in envelope.headers ? null : asObject(parseJson(envelope.body.toString("utf8")));
  const eta = body === null ? envelope.headers["eta"] : body["eta"];
  // Without a zone it is the application's, which is not known.
  return typeof eta === "string" ? isoSeconds(eta, null) : null;
}

/** A task is late when its time has come for longer than this, in seconds; clocks differ. */
const LATE_S = 60;

/** What is wrong with messages that are delivered and not acknowledged. */
export interface Lateness {
  readonly late: readonly Unacked[];
  /** Their time comes after kombu delivers them again. */
  readonly beyond: readonly Unacked[];
}

/** @param running ids of tasks that are known to run: acknowledged late, they are no longer waited for */
export function judgeUnacked(
  messages: readonly Unacked[],
  running: ReadonlySet<string>,
  visibilityS: number,
  nowS: number,
): Lateness {
  const timed = messages.filter(({ task }) => !running.has(task.id));
  return {
    late: timed
      .filter(({ etaS }) => etaS !== null && nowS - etaS > LATE_S)
      .sort((a, b) => (a.etaS ?? 0) - (b.etaS ?? 0)),
    beyond: timed
      .filter(({ etaS, deliveredS }) => etaS !== null && etaS > nowS && etaS - deliveredS > visibilityS)
      .sort((a, b) => (b.etaS ?? 0) - (a.etaS ?? 0)),
  };
}
