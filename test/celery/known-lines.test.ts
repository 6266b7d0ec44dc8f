import { expect, test } from "vitest";
import { knownLines, missingPool } from "../../src/celery/known-lines.ts";

const LOGGED = "[2026-11-25 10:00:00,000: ERROR/MainProcess] ";

test.each([
  [
    "Unrecoverable error: OperationalError('s3cret')",
    "unrecoverable",
    "Unrecoverable error: OperationalError",
  ],
  [
    "Received unregistered task of type 'shop.mail-v2'.",
    "unregistered",
    "Received unregistered task of type 'shop.mail-v2'",
  ],
  [
    "Unrecoverable error: server:OutOfMemoryError('s3cret')",
    "unrecoverable",
    "Unrecoverable error: server:OutOfMemoryError",
  ],
  ["Can't decode message body: DecodeError(s3cret)", "undecodable", "Can't decode message body: DecodeError"],
  [
    "Refusing to deserialize untrusted content of type pickle (application/x-python-serialize)",
    "undecodable",
    "Refusing to deserialize untrusted content of type pickle",
  ],
  [
    "ModuleNotFoundError: No module named 'shop.x'",
    "module-missing",
    "ModuleNotFoundError: No module named 'shop.x'",
  ],
  [
    "ImportError: cannot import name 'mail' from 'shop' (/s3cret/shop.py)",
    "module-missing",
    "ImportError: cannot import name 'mail'",
  ],
  [
    "PermissionError: [Errno 13] Permission denied: '/var/run/w.pid'",
    "permission",
    "PermissionError: [Errno 13] Permission denied: '/var/run/w.pid'",
  ],
  ["OSError: [Errno 28] No space left on device", "no-space", "[Errno 28] No space left on device"],
  [
    "redis.exceptions.OutOfMemoryError: OOM command not allowed when used memory > 'maxmemory'.",
    "broker-full",
    "command not allowed when used memory > 'maxmemory'",
  ],
  [
    "redis.exceptions.OutOfMemoryError: Command # 1 (ZREM unacked_index s3cret) of pipeline caused error: command not allowed when used memory > 'maxmemory'.",
    "broker-full",
    "command not allowed when used memory > 'maxmemory'",
  ],
  ["WRONGPASS invalid username-password pair or user is disabled.", "broker-login", "WRONGPASS"],
  ["NOAUTH Authentication required.", "broker-login", "NOAUTH"],
  [
    "consumer: Cannot connect to redis://:**@cache:6379/0: invalid username-password pair or user is disabled..",
    "broker-login",
    "invalid username-password pair",
  ],
  [
    "redis.exceptions.AuthenticationError: Authentication required.",
    "broker-login",
    "redis.exceptions.AuthenticationError",
  ],
  [
    "Hard time limit (300s) exceeded for shop.slow[a-1] s3cret",
    "hard-limit",
    "Hard time limit (300s) exceeded for shop.slow[a-1]",
  ],
  [
    "Soft time limit (30s) exceeded for shop.slow[a-1]",
    "soft-limit",
    "Soft time limit (30s) exceeded for shop.slow[a-1]",
  ],
  [
    "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 3.",
    "child-killed",
    "Worker exited prematurely: signal 9 (SIGKILL)",
  ],
  ["Task shop.x[a-1] raised unexpected: MemoryError()", "no-memory", "MemoryError"],
  [
    "Task shop.x[a-1] raised unexpected: Refused('Permission denied')",
    "task-failed",
    "Task shop.x[a-1] raised unexpected: Refused",
  ],
  [
    "Task shop.x[a-1] raised unexpected: AuthenticationError('No such API key')",
    "task-failed",
    "Task shop.x[a-1] raised unexpected: AuthenticationError",
  ],
  [
    "Message: 'Task %(name)s[%(id)s] %(description)s: %(exc)s'",
    "task-failed",
    "Task %(name)s[%(id)s] %(description)s: %(exc)s",
  ],
  ["Task shop.x[a-1] raised unexpected: s3cret", "task-failed", "Task shop.x[a-1] raised unexpected"],
  ["Control command error: ValueError('s3cret')", "control-command", "Control command error: ValueError"],
  ["pidbox command error: KeyError('s3cret')", "control-command", "pidbox command error: KeyError"],
  [
    "consumer: Cannot connect to redis://cache:6379/0: s3cret refused.",
    "broker-lost",
    "Cannot connect to redis://cache:6379/0:",
  ],
  [
    "consumer: Cannot connect to redis://:**@cache:6379/0: s3cret@s3cret refused.",
    "broker-lost",
    "Cannot connect to redis://:**@cache:6379/0:",
  ],
  [
    "consumer: Cannot connect to redis://u:s3cret s3@cret@cache:6379/0: refused.",
    "broker-lost",
    "Cannot connect to redis://u:***@cache:6379/0:",
  ],
])("%s", (line, kind, last) => {
  const hasEnded = kind === "unrecoverable";
  expect(knownLines(LOGGED + line)).toEqual([{ kind, count: 1, hasEnded, last }]);
});

test.each([
  "[2026-11-25 10:00:00,000: INFO/MainProcess] Connected after: Cannot connect to redis://cache:6379/0",
  "[2026-11-25 10:00:00,000: DEBUG/ForkPoolWorker-1] no module? No module named 'x'",
  '{"level": "INFO", "message": "mail: Permission denied by the customer, [Errno 13] Permission denied"}',
  "[2026-11-25 10:00:00,000: ERROR/ForkPoolWorker-1] The module shop.y was not found. No such option '--x'",
  "[2026-11-25 10:00:00,000: ERROR/ForkPoolWorker-1] AttributeError: module 'shop' has no attribute 'x'",
  "AttributeError: module 'shop' has no attribute 'x'",
  "[2026-11-25 10:00:00,000: WARNING/ForkPoolWorker-1] the importer found an ImportError in the upload",
])("is not a known line: %s", (line) => {
  expect(knownLines(line)).toEqual([]);
});

test("a record's level is the first in its line, and a task's words do not hide it", () => {
  const line = `${LOGGED}Received unregistered task of type 'shop.INFO'.`;
  expect(knownLines(line)).toMatchObject([{ kind: "unregistered" }]);
});

test("lines of a kind are counted, and the last is shown", () => {
  const lines = ["a", "b"].map((name) => `${LOGGED}Received unregistered task of type '${name}'.`);
  expect(knownLines(lines.join("\r\n"))).toEqual([
    { kind: "unregistered", count: 2, hasEnded: false, last: "Received unregistered task of type 'b'" },
  ]);
});

test.each([
  ["No module named 'gevent'", "gevent"],
  ["No module named eventlet", "eventlet"],
  ["No module named 'gevent_extras'", null],
  ["gevent is here", null],
])("the pool whose package is missing, by %j: %s", (text, pool) => {
  expect(missingPool(text)).toBe(pool);
});

const REFUSED = "redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled.";
const traced = (frame: string, last: string) =>
  `Traceback (most recent call last):\n  File "/venv/lib/python3.11/site-packages/${frame}", line 785, in get\n${last}`;

test.each([
  // redis-py 8 writes an exception as `module:Class`.
  [
    "a task's own cache refuses it",
    `Task shop.auth[a-1] raised unexpected: auth:AuthenticationError\n${traced("redis/client.py", REFUSED)}`,
    { kind: "task-failed", last: "Task shop.auth[a-1] raised unexpected: auth:AuthenticationError" },
  ],
  [
    "a task's own cache is full",
    `Task shop.x[a-1] raised unexpected: server:OutOfMemoryError\n${traced("redis/client.py", "OOM command not allowed when used memory > 'maxmemory'.")}`,
    { kind: "task-failed", last: "Task shop.x[a-1] raised unexpected: server:OutOfMemoryError" },
  ],
  [
    "the broker that a task publishes to is full",
    `Task shop.x[a-1] raised unexpected: OutOfMemoryError('x')\n${traced("kombu/transport/redis.py", "OOM command not allowed when used memory > 'maxmemory'.")}`,
    { kind: "broker-full" },
  ],
  [
    "the result backend refuses the login",
    `Pool callback raised exception: auth:AuthenticationError\n${traced("celery/backends/redis.py", REFUSED)}`,
    { kind: "result-login", last: "redis.exceptions.AuthenticationError" },
  ],
  [
    "a task publishes, and the result backend refuses the login",
    `Task shop.x[a-1] raised unexpected: auth:AuthenticationError\n${traced("celery/backends/redis.py", REFUSED)}`,
    { kind: "result-login" },
  ],
  [
    "the result backend is full",
    `Pool callback raised exception: server:OutOfMemoryError\n${traced("celery/backends/redis.py", "command not allowed when used memory > 'maxmemory'.")}`,
    { kind: "result-refused", last: "command not allowed when used memory > 'maxmemory'" },
  ],
  [
    "a leak of files makes the worker's own questions fail",
    `pidbox command error: OSError(24, 'Too many open files')\n${traced("kombu/utils/eventio.py", "OSError: [Errno 24] Too many open files")}`,
    { kind: "too-many-files", last: "Too many open files" },
  ],
  [
    "clocks differ",
    "Substantial drift from celery@w1 may mean clocks are out of sync.  Current drift is 3600 seconds.  [orig: 2026-11-29 05:00:00 recv: 2026-11-29 06:00:00]",
    {
      kind: "clock-drift",
      last: "Substantial drift from celery@w1 may mean clocks are out of sync. Current drift is 3600 seconds",
    },
  ],
  [
    "Python cannot log the failure",
    "--- Logging error ---\nMessage: 'Task %(name)s[%(id)s] %(description)s: %(exc)s'\nArguments: {'hostname': 'w@world', 'id': 'a-1', 'name': 'shop.x', 'exc': \"OSError(28, 's3cret')\"}",
    { kind: "task-failed", last: "Task shop.x[a-1] raised unexpected" },
  ],
])("the failure has its owner when %s", (_, text, its) => {
  expect(knownLines(LOGGED + text)).toMatchObject([{ count: 1, ...its }]);
});

test("a shell says that the worker was killed", () => {
  const ready = "[2026-11-29 05:44:37,747: INFO/MainProcess] celery@w4 ready.\n";
  expect(knownLines(`${ready}Killed\nworker exited\n`)).toMatchObject([
    { kind: "main-killed", count: 1, hasEnded: true, last: "Killed" },
  ]);
  expect(
    knownLines(`${ready}/start.sh: line 3:     9 Killed                  celery -A shop worker\n`),
  ).toMatchObject([{ kind: "main-killed", hasEnded: true }]);
  expect(knownLines(`${LOGGED}Killed\n`)).toEqual([]);
});

test.each([
  ["error('db type could not be determined')", "schedule"],
  ["OSError(28, 'No space left on device')", "no-space"],
  ["PermissionError(13, 'x')\nTraceback:\nPermissionError: [Errno 13] Permission denied: 's'", "permission"],
  ["OSError(24, 'Too many open files')", "too-many-files"],
  ["OSError(30, 'Read-only file system')", "read-only"],
])("what beat could not read its schedule file for, by %s, is %s and no corrupt file beside", (why, kind) => {
  const text = `${LOGGED}Removing corrupted schedule file 's': ${why}\n${LOGGED}Removing corrupted schedule file 's': ${why}\n`;
  expect(knownLines(text).map((one) => one.kind)).toEqual([kind]);
});
