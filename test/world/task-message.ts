import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** The tasks of `tasks.py` and what they take. */
export interface Tasks {
  /** Two numbers. */
  add: [x: number, y: number];
  /** What the exception says. */
  fail: [words: string];
  /** To two to this power of bytes, wanted at once. */
  hoard: [exponent: number];
  /** What is written into a file. */
  write: [file: string, words: string];
  /** Seconds to sleep. */
  nap: [seconds: number];
  /** Seconds to burn CPU. */
  spin: [seconds: number];
  /** Seconds to wait for a child process. */
  shell: [seconds: number];
  /** The file whose appearance ends it; sleeps in small pieces meanwhile. */
  nap_until: [file: string];
  /** The same, burning CPU. */
  spin_until: [file: string];
  /** The same, waiting for a child process that waits. */
  shell_until: [file: string];
  /** Seconds to sleep in C code that no pool can patch. */
  sleep_in_c: [seconds: number];
  /** Seconds to keep every other thread from running Python. */
  hold_gil: [seconds: number];
  /** Doublings of the work of a regular expression that goes astray. */
  backtrack: [doublings: number];
  /** Seconds to write to the broker's database, five times a second. */
  scribble: [seconds: number];
  /** The key that it waits for with BRPOP. */
  pop: [key: string];
  /** Nothing: one a minute may start. */
  limited: [];
}

export interface TaskMessage {
  readonly id: string;
  /** The element for the queue's list (LPUSH). */
  readonly element: string;
}

/**
 * A task as Celery's own client would put it on the queue (message protocol 2, JSON), so that a test can enqueue
 * without starting Python.
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
