import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** The tasks of `tasks.py` and their arguments. */
export interface Tasks {
  /** Two numbers. */
  add: [x: number, y: number];
  /** The text of the exception. */
  fail: [words: string];
  /** Asks for two to the power of this many bytes at once. */
  hoard: [exponent: number];
  /** The file and its text. */
  write: [file: string, words: string];
  /** Seconds to sleep. */
  nap: [seconds: number];
  /** Seconds to burn CPU. */
  spin: [seconds: number];
  /** Seconds to wait for a child process. */
  shell: [seconds: number];
  /** The file that ends the task when it appears. Sleeps in short pieces meanwhile. */
  nap_until: [file: string];
  /** The same, but burns CPU. */
  spin_until: [file: string];
  /** The same, but waits for a child process that waits. */
  shell_until: [file: string];
  /** Seconds to sleep in C code that no pool can patch. */
  sleep_in_c: [seconds: number];
  /** Seconds to keep every other thread from running Python. */
  hold_gil: [seconds: number];
  /** How often the work of a slow regular expression is doubled. */
  backtrack: [doublings: number];
  /** Seconds in which it writes to the broker's database, five times a second. */
  scribble: [seconds: number];
  /** The key that it waits for with BRPOP. */
  pop: [key: string];
  /** No argument. One task may start each minute. */
  limited: [];
  /** The queue of the task that it sends, and whether it waits for it (`tasks.py`). */
  delegate: [queue: string, how: string];
}

export interface TaskMessage {
  readonly id: string;
  /** The element for the queue's list (LPUSH). */
  readonly element: string;
}

/**
 * A task as Celery's own client would put it on the queue (message protocol 2, JSON). So a test can enqueue without
 * starting Python.
 */
export function taskMessage<Name extends keyof Tasks>(
  queue: string,
  name: Name,
  args: Tasks[Name],
): TaskMessage {
  const id = randomUUID();
  const body = [args, {}, { callbacks: null, errbacks: null, chain: null, chord: null }];
  const element = JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: {
      lang: "py",
      task: `tasks.${name}`,
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: `(${args.join(", ")})`,
      kwargsrepr: "{}",
      origin: `${process.pid}@${hostname()}`,
      ignore_result: true,
    },
    properties: {
      correlation_id: id,
      reply_to: randomUUID(),
      delivery_mode: 2,
      delivery_info: { exchange: "", routing_key: queue },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: randomUUID(),
    },
  });
  return { id, element };
}
