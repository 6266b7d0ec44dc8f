import type { LineKind } from "./line-kinds.ts";

/** A task and its id: its name may be any text, and is of one word as a rule. */
export const TASK = "[\\w.:-]+(?:\\[[\\w-]+\\])?";

/**
 * A task's own failure: redis-py 8 writes its exceptions as `module:Class`. Python 3.11 cannot log the failures of Celery
 * 5.2, and says so instead.
 */
export const OWN_FAILURE = new RegExp(
  `Task ${TASK} raised unexpected(?:: (?:[\\w.]{1,80}(?=\\()|[a-z_]{1,40}:\\w{1,80}(?:Error|Exception)\\b))?|Task %\\(name\\)s\\[%\\(id\\)s\\] %\\(description\\)s: %\\(exc\\)s`,
);

/** The broker is meant, unless a traceback leads elsewhere. */
type BrokerKind = LineKind & `broker-${string}`;

/** Only the frames of the traceback tell whose connection it was: a task may have a Redis of its own. */
export const BACKENDS = "/celery/backends/";
const BROKERS = "/kombu/";

/** Whose failure it is; null: a task's own. */
export function blamed(kind: BrokerKind, text: string): LineKind | null {
  if (kind === "broker-lost") return kind;
  if (text.includes(BACKENDS)) return kind === "broker-login" ? "result-login" : "result-refused";
  return OWN_FAILURE.test(text) && !text.includes(BROKERS) ? null : kind;
}

export const isBrokers = (kind: LineKind): kind is BrokerKind => kind.startsWith("broker-");

/** The id and the name of a task, which a log shows instead of its failure. */
const UNLOGGED_TASK = /^Arguments: \{[^{}]{0,400}?'id': '([\w-]{1,100})', 'name': '([\w.:-]{1,200})'/m;

/** The failure that such words stand for; null: they are other words. */
export function unloggedTask(words: string, text: string): string | null {
  const [, id, name] = words.includes("%(name)s") ? (UNLOGGED_TASK.exec(text) ?? []) : [];
  return id === undefined ? null : `Task ${name}[${id}] raised unexpected`;
}
