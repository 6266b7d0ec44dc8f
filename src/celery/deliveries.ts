import { isCount } from "../numbers.ts";
import { asObject, openEnvelope, parseJson } from "../pidbox/envelope.ts";
import { isoSeconds } from "./iso-time.ts";

export interface NamedTask {
  readonly name: string;
  readonly id: string;
}

/** In characters. Longer names do not occur in practice, so they are cut. */
const LONGEST = 120;

export function shortName(text: string): string {
  return text.slice(0, LONGEST);
}

/**
 * The task of a message: `headers.task` in protocol 2, the body's `task` in protocol 1 (celery/app/amqp.py). Null: it
 * cannot be read.
 */
export function taskOfMessage(text: string): NamedTask | null {
  const envelope = openEnvelope(text);
  if (envelope === null) return null;
  const { task, id } = envelope.headers;
  if (typeof task === "string")
    return { name: shortName(task), id: shortName(typeof id === "string" ? id : "") };
  if (envelope.contentType !== "application/json") return null;
  const body = asObject(parseJson(envelope.body.toString("utf8")));
  const { task: name, id: number } = body ?? {};
  return typeof name === "string"
    ? { name: shortName(name), id: shortName(typeof number === "string" ? number : "") }
    : null;
}

/** A task that another one has sent. */
export interface Subtask {
  readonly task: NamedTask;
  /** The id of the task that has sent it. */
  readonly parent: string;
  /**
   * Ids of results that come by it, and to which only a sender subscribes that waits for them. A group's sender
   * subscribes to the results of its members at once (celery/result.py `ResultSet`), so these say nothing.
   */
  readonly results: readonly string[];
}

/** Null: no task has sent it, or it is of protocol 1, which does not say. */
export function subtaskOf(text: string): Subtask | null {
  const [task, envelope] = [taskOfMessage(text), openEnvelope(text)];
  if (task === null || envelope === null) return null;
  const { parent_id: parent, group, id } = envelope.headers;
  if (typeof parent !== "string") return null;
  const body = envelope.contentType === "application/json" ? parseJson(envelope.body.toString("utf8")) : null;
  const { chain, chord } = asObject(Array.isArray(body) ? body[2] : null) ?? {};
  const steps = Array.isArray(chain) ? (chain as readonly unknown[]) : [];
  // In Celery 5.7 the last task of a chord has the group of the chord's others.
  const behind = [...steps.map((step) => resultOf(step)), resultOf(chord, group)];
  const results = [typeof group === "string" ? null : id, ...behind];
  const ids = results.filter((one) => typeof one === "string");
  return { task, parent: shortName(parent), results: ids.map(shortName) };
}

/** Of a signature that is sent when this task has ended (celery/canvas.py). */
function resultOf(signature: unknown, own?: unknown): unknown {
  const { options, subtask_type: type } = asObject(signature) ?? {};
  const { task_id: id, group_id: group } = asObject(options) ?? {};
  return (typeof group === "string" && group !== own) || typeof type === "string" ? null : id;
}

/** A message that is delivered and not acknowledged. */
export interface Unacked {
  readonly task: NamedTask;
  /** Seconds since 1970. Null: no ETA, or an ETA without a time zone. */
  readonly etaS: number | null;
  /** Whether the message has an ETA, in any form. */
  readonly isTimed: boolean;
  readonly deliveredS: number;
  /** Whether it was delivered before: kombu has put it back (kombu/transport/redis.py `_do_restore_message`). */
  readonly isRedelivered: boolean;
  /** The number of retries. Always 0 in protocol 1, which has it in the body. */
  readonly retries: number;
  /** By which it came to its queue: that one's name where nobody has set another. */
  readonly routingKey: string;
  readonly subtask: Subtask | null;
}

/** Reads a value of kombu's `unacked`, `[message, exchange, routing key]` (kombu/transport/redis.py `QoS.append`). */
export function readUnacked(text: string, deliveredS: number): Unacked | null {
  const entry = parseJson(text);
  const [message, , routingKey] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  const envelope = asObject(message);
  if (envelope === null) return null;
  const raw = JSON.stringify(envelope);
  const task = taskOfMessage(raw);
  const eta = etaOf(raw);
  const { redelivered, retries } = openEnvelope(raw)?.headers ?? {};
  if (task === null) return null;
  // An ETA without a zone is in the application's zone, which is not known.
  const etaS = typeof eta === "string" ? isoSeconds(eta, null) : null;
  return {
    ...{ task, etaS, isTimed: eta !== null && eta !== undefined, deliveredS },
    isRedelivered: redelivered === true,
    retries: isCount(retries) ? retries : 0,
    routingKey: typeof routingKey === "string" ? routingKey : "",
    subtask: subtaskOf(raw),
  };
}

function etaOf(text: string): unknown {
  const envelope = openEnvelope(text);
  if (envelope === null) return null;
  const body = "task" in envelope.headers ? null : asObject(parseJson(envelope.body.toString("utf8")));
  return body === null ? envelope.headers["eta"] : body["eta"];
}

/**
 * The tasks of an answer to `registered` that was asked for `rate_limit`, and whether each has a rate limit. An entry
 * reads `tasks.add [rate_limit=10/m]` (celery/worker/control.py). Null: the answer has another form.
 */
export function rateLimits(answer: unknown): ReadonlyMap<string, boolean> | null {
  if (!Array.isArray(answer)) return null;
  return new Map(
    answer.flatMap((entry: unknown) => {
      if (typeof entry !== "string") return [];
      const [name = "", info = ""] = entry.split(" [", 2);
      return [[shortName(name), info.startsWith("rate_limit=")] as const];
    }),
  );
}

/** In seconds. Clocks may differ this much, so an ETA may seem to be over. */
const CLOCKS_S = 60;

/**
 * Whether a worker may hold a delivery back, because of its ETA or its rate limit.
 *
 * @param limits from the worker's own answer. A task that is not in it belongs to another worker
 */
export function mayBeHeld(
  { task, etaS, isTimed }: Unacked,
  limits: ReadonlyMap<string, boolean>,
  nowS: number,
): boolean {
  return limits.get(task.name) === true || (isTimed && (etaS === null || etaS + CLOCKS_S > nowS));
}
