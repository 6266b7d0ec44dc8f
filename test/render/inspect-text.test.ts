import { sortSettings } from "../../src/celery/every-setting.ts";
import { poolNameIn } from "../../src/celery/pool.ts";
import { expect, test } from "vitest";
import { inspectText, remarks } from "../../src/render/inspect-text.ts";

const NOW = 1_000_000;

function shown(
  method: Parameters<typeof inspectText>[0],
  results: Readonly<Record<string, unknown>>,
  conf: { readonly asked?: string; readonly isAll?: boolean } = {},
): string {
  return inspectText(method, new Map(Object.entries(results)), {
    nowS: NOW,
    poolIn: poolNameIn,
    conf: { sort: sortSettings, asked: null, isAll: false, ...conf },
  }).join("\n");
}

const TASK = {
  id: "7c1d3c0e-3c0f-4f0e-9d52-0a5a5a3f6f11",
  name: "shop.tasks.invoice",
  args: "(4711,)",
  kwargs: "{}",
  time_start: NOW - 12,
  worker_pid: 27,
};

test("running tasks are below their node with age, process, id and arguments", () => {
  expect(
    shown("active", {
      "celery@a": [TASK, { ...TASK, worker_pid: 140259177075456, args: "()" }],
      "celery@b": [],
    }),
  ).toBe(`celery@a  2 tasks
  shop.tasks.invoice  for 12 s, in process 27
    7c1d3c0e-3c0f-4f0e-9d52-0a5a5a3f6f11
    (4711,)
  shop.tasks.invoice  for 12 s
    7c1d3c0e-3c0f-4f0e-9d52-0a5a5a3f6f11

celery@b  none`);
});

test("tasks with an ETA and tasks asked for by id show where they are", () => {
  const waiting = { ...TASK, time_start: null, worker_pid: null, args: [1], kwargs: { by: "me" } };
  expect(shown("scheduled", { w: [{ eta: "2030-01-01T00:00:00", priority: 6, request: waiting }] }))
    .toBe(`w  1 task
  shop.tasks.invoice  not before 2030-01-01T00:00:00, priority 6
    7c1d3c0e-3c0f-4f0e-9d52-0a5a5a3f6f11
    [1] {"by":"me"}`);
  expect(shown("query_task", { w: { [TASK.id]: ["reserved", waiting] } })).toContain(
    "shop.tasks.invoice  reserved\n",
  );
});

test("queues are shown as a table", () => {
  const queue = { name: "celery", exchange: { name: "celery", type: "direct" }, routing_key: "celery" };
  expect(shown("active_queues", { "celery@a": [queue, { ...queue, name: "mail" }], b: [], c: null })).toBe(
    `NODE      QUEUE   EXCHANGE         ROUTING KEY
celery@a  celery  celery (direct)  celery
          mail    celery (direct)  celery
b         none
c         none`,
  );
});

test("stats show only the important parts and the numbers of tasks", () => {
  const stats = {
    pid: 7,
    uptime: 90,
    prefetch_count: 8,
    pool: { "max-concurrency": 2, processes: [8, 9], writes: {} },
    rusage: { maxrss: 50_000 },
    broker: { transport: "redis", hostname: "h", port: 6379, virtual_host: "0" },
    total: { rare: 1, often: 120 },
  };
  expect(shown("stats", { w: stats })).toBe(`w
  process   7
  up for    90 s
  pool      prefork of 2
  prefetch  8
  memory    51.2 MB at most, of the main process
  broker    redis://h:6379/0
  children  8 9
  tasks begun:
    120  often
    1    rare`);
});

const DJANGO = { DEBUG: false, CELERY_TIMEZONE: "UTC", CELERY_BROKER_URL: "redis://h/0", ADMINS: [] };

test("only Celery's settings are shown, and the application's own are counted", () => {
  expect(shown("conf", { w: DJANGO, v: { enable_utc: true } })).toBe(`w  2 settings of Celery
  CELERY_BROKER_URL = redis://h/0
  CELERY_TIMEZONE = UTC

  the application's own: 2 settings; --all shows them

v  1 setting of Celery
  enable_utc = true`);
});

test("the application's settings follow Celery's with --all", () => {
  expect(shown("conf", { w: DJANGO }, { isAll: true })).toContain(
    "  CELERY_TIMEZONE = UTC\n\n  the application's own: 2 settings\n  ADMINS = []\n  DEBUG = false",
  );
});

test("a single setting is below each node, and a node without it says so", () => {
  const results = { w: { CELERY_TIMEZONE: "UTC" }, v: {}, e: { error: "KeyError('x')" } };
  expect(shown("conf", results, { asked: "timezone" })).toBe(`w
  CELERY_TIMEZONE = UTC

v  no setting timezone

e  error: KeyError('x')`);
});

test("lines are broken between words at the terminal's width", () => {
  const include = Array.from({ length: 20 }, (_, number) => `shop.tasks.number${number}`);
  const pool = { processes: Array.from({ length: 64 }, (_, number) => 100_000 + number) };
  const text = [
    shown("conf", { w: { include, deep: { a: include } } }),
    shown("stats", { w: { pool } }),
    shown("active", { w: [{ ...TASK, args: "x".repeat(500) }] }),
  ].join("\n");
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
});

test("workers' texts stay on their line, and values of another form are shown as they are", () => {
  expect(shown("registered", { w: ["a\nb\u001b[31m", "a"] })).toBe("w  2 tasks\n  a\n  a\\x0ab\\x1b[31m");
  expect(shown("reserved", { w: { error: "KeyError('x')" } })).toBe("w  error: KeyError('x')");
  expect(shown("stats", { w: null })).toBe("w\n  null");
  expect(shown("active", { w: [1, null] })).toBe("w  2 tasks\n  1\n  null");
  expect(shown("report", { w: { ok: "\none\ntwo\n" } })).toBe("w\n  one\n  two");
});

test("each missing node has a line", () => {
  const absent = [
    { kind: "silent", node: "a" },
    { kind: "unnamed", count: 2 },
    { kind: "unread", node: null },
    { kind: "over-bound", node: "f", bound: "length", length: 5e6, most: 4_194_304 },
    { kind: "over-bound", node: null, bound: "depth", length: 5e3, most: 500 },
    { kind: "over-bound", node: "g", bound: "values", length: 5e6, most: 250_000 },
    { kind: "late", node: "b" },
    { kind: "unversioned", node: "c" },
    { kind: "beat", node: "celerybeat@d" },
  ] as const;
  const said = remarks(
    "stats",
    { kind: "answered", results: new Map(), absent, shared: ["e"] },
    "/0.celery.pidbox",
  );
  expect(said.map((one) => one.split(":")[0])).toEqual([
    "no answer from a",
    "no answer from 2 subscribers with an unknown name",
    "a node answers in another format",
    "f answered with 5.0 MB, and an answer of more than 4.2 MB is not read",
    "a node answered with lists more than 500 deep, which are not read",
    "g answered with more than 250000 values, which are not read",
    "no answer from b to stats, although it answers pings",
    "c did not say which versions it runs on and was not asked",
    "celerybeat@d is a beat",
    "two or more workers are named e",
  ]);
});

/** A number that is kept as text (pidbox/python-json.ts). */
const LONG = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON("12345678901234567890");

test("counts that are not numbers are shown unchanged, after the numbers", () => {
  const total = {
    "a.odd": { toString: 1 },
    "b.long": LONG,
    "c.few": 2,
    "d.many": 7,
  };
  const lines = shown("stats", { "celery@a": { total } }).split("\n");
  expect(lines.map((line) => /[a-d]\.\w+/.exec(line)?.[0]).filter((name) => name !== undefined)).toEqual([
    "d.many",
    "c.few",
    "a.odd",
    "b.long",
  ]);
});
