import type { LineKind } from "./line-kinds.ts";

/** A task and its id. A task's name may be any text, but usually it has no blanks. */
export const TASK = "[\\w.:-]+(?:\\[[\\w-]+\\])?";

/**
 * The line for a failed task. redis-py 8 writes its exceptions as `module:Class`. With Celery 5.2, Python 3.11 cannot
 * log failures and logs the unformatted message.
 */
export const OWN_FAILURE = new RegExp(
  `Task ${TASK} raised unexpected(?:: (?:[\\w.]{1,80}(?=\\()|[a-z_]{1,40}:\\w{1,80}(?:Error|Exception)\\b))?|Task %\\(name\\)s\\[%\\(id\\)s\\] %\\(description\\)s: %\\(exc\\)s`,
);

/** Lines that blame the broker, unless a traceback shows another connection. */
type BrokerKind = LineKind & `broker-${string}`;

/** Only the traceback's frames tell whose connection it was: a task may use a Redis of its own. */
export const BACKENDS = "/celery/backends/";
const BROKERS = "/kombu/";

/** The kind of line that this failure really is. Null: it is a task's own failure. */
export function blamed(kind: BrokerKind, text: string): LineKind | null {
  if (kind === "broker-lost") return kind;
  if (text.includes(BACKENDS)) return kind === "broker-login" ? "result-login" : "result-refused";
  return OWN_FAILURE.test(text) && !text.includes(BROKERS) ? null : kind;
}

export const isBrokers = (kind: LineKind): kind is BrokerKind => kind.startsWith("broker-");

/** The id and the name of a task, which such a log shows below the unformatted message. */
const UNLOGGED_TASK = /^Arguments: \{[^{}]{0,400}?'id': '([\w-]{1,100})', 'name': '([\w.:-]{1,200})'/m;

/** The line that the unformatted message stands for. Null: these are other words. */
export function unloggedTask(words: string, text: string): string | null {
  const [, id, name] = words.includes("%(name)s") ? (UNLOGGED_TASK.exec(text) ?? []) : [];
  return id === undefined ? null : `Task ${name}[${id}] raised unexpected`;
}
