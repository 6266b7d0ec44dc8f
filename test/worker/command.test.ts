import { describe, expect, test } from "vitest";
import { programWords, readCommandLine, type WorkerCommand } from "../../src/worker/command.ts";
import { readWorkerOptions } from "../../src/celery/worker-options.ts";
import { commandLine } from "./fake-proc.ts";

const program = (words: string) => readCommandLine(commandLine(words.split(" ")));
const main = (command: Partial<WorkerCommand> = {}, certain = true, byCelery = true) => ({
  kind: "main",
  command: expect.objectContaining({ name: null, node: null, broker: null, ...command }) as unknown,
  certain,
  byCelery,
});
const values = (words: string) => readWorkerOptions(words.split(" "))?.values ?? new Map();

describe("a worker's main process is recognised for certain", () => {
  test.each([
    ["when the script is run by its interpreter", "/venv/bin/python /venv/bin/celery -A app worker"],
    ["when the interpreter has a version", "/usr/local/bin/python3.11 /usr/local/bin/celery -A app worker"],
    ["when the interpreter is a PyPy", "pypy3.10 /venv/bin/celery -A app worker"],
    ["when the interpreter is free-threaded", "python3.13t -m celery worker"],
    ["when it is run as a module", "python -m celery -A app worker"],
    ["when the module's name is attached", "python -mcelery -A app worker"],
    ["when the module stands behind flags in one word", "python -um celery -A app worker"],
    ["when its __main__ module is named", "python -m celery.__main__ -A app worker"],
    ["when its __main__ file is named", "python /site-packages/celery/__main__.py -A app worker"],
    ["when Python has options", "python -u -OO -W ignore -Xdev -X importtime -Bm celery -A app worker"],
    ["when Python has its long option", "python --check-hash-based-pycs always -m celery -A app worker"],
    ["when it calls itself celery", "celery -A app worker"],
    ["when options stand behind it as in Celery 4", "python /venv/bin/celery worker -A app"],
    ["when -- stands in front of it", "celery -A app -- worker"],
    ["when the application is called worker", "celery -A worker worker"],
    ["when global options are attached", "celery -qCAapp --loader=x --workdir /srv --skip-checks worker"],
    ["when a global option is not known here", "celery --new value --newer worker"],
  ])("%s", (_, words) => {
    expect(program(words)).toEqual(main());
  });
});

describe("a worker's main process is recognised with doubt", () => {
  test.each([
    ["when a debugger runs it", "python -m debugpy --listen 5678 -m celery -A a worker", true],
    [
      "when a debugger runs its script",
      "python /opt/pydevd.py --client x --file /venv/bin/celery -A a worker",
      true,
    ],
    ["when coverage runs it", "python -m coverage run -m celery -A a worker", true],
    ["when Django's manage.py runs it", "python manage.py celery worker", false],
    ["when an application's celery module is run", "python -m proj.celery worker", false],
    ["when an application's celery.py is run", "python proj/celery.py worker", false],
    ["when pipenv has not yet become it", "python /usr/bin/pipenv run celery -A celery worker", false],
  ])("%s", (_, words, byCelery) => {
    expect(program(words)).toEqual(main({}, false, byCelery));
  });
});

describe("no worker is seen", () => {
  const wordsIn = (words: string) => words.split(" ").map((word) => word.replaceAll("\u00a0", " "));

  test.each([
    ["when it is a shell", "/bin/sh -c celery -A app worker"],
    ["when it is the script's own shell line", "/bin/sh /venv/bin/celery -A app worker"],
    ["when it is an init", "tini -- celery -A app worker"],
    ["when it is an init with an interpreter", "/usr/bin/dumb-init python -m celery -A app worker"],
    ["when it is gosu", "gosu app celery -A app worker"],
    ["when it is uv", "uv run celery -A app worker"],
    ["when -- does not stand in front of the command", "celery -- --quiet worker"],
    ["when the command is a dash", "celery - worker"],
    ["when it is celery without a command", "celery -A worker"],
    ["when it is Python's prompt", "python -i"],
    ["when it is a name like Python's", "pythonista -m celery worker"],
    ["when it is a program of another kind", "nginx: worker process celery"],
  ])("%s", (_, words) => {
    expect(readCommandLine(commandLine(wordsIn(words)))).toEqual({ kind: "other" });
  });

  test.each([
    ["when it is a beat", "python /venv/bin/celery -A app beat", "beat"],
    ["when it is a beat of an application called worker", "celery -A worker beat", "beat"],
    ["when it is Flower", "python -m celery -A app flower worker", "flower"],
    ["when it is an inspection", "python -m celery inspect ping -d worker", null],
    ["when it is multi", "python -m celery multi start worker", null],
    ["when it is a beat behind a flag", "celery --quiet beat worker", "beat"],
    ["when it is supervisord", "python3 /usr/bin/supervisord -c celery worker", null],
    ["when it is watchmedo", "python /venv/bin/watchmedo auto-restart -- celery -A app worker", null],
    ["when it is honcho", "python -m honcho start celery worker", null],
    ["when it is circusd", "python /venv/bin/circusd celery.ini worker", null],
    [
      "when it is watchmedo as a module",
      "python -m watchdog.watchmedo auto-restart -- celery -A app worker",
      null,
    ],
    ["when it is an exporter", "python /venv/bin/celery-exporter --broker-url=redis://", null],
    ["when it is Flower as a module", "python -m flower", "flower"],
    ["when it is a shell of Celery's", "celery -A app shell --ipython", null],
    [
      "when it is a tracker of multiprocessing",
      "python -c from\u00a0multiprocessing.resource_tracker\u00a0import\u00a0main",
      null,
    ],
  ])("and another program is known, %s", (_, words, what) => {
    expect(readCommandLine(commandLine(wordsIn(words)))).toEqual({ kind: "another", what });
  });

  test("when there are no words", () => {
    expect(readCommandLine("")).toEqual({ kind: "other" });
  });
});

test.each([
  "python run_worker.py",
  "python -m app.run",
  "python manage.py runworker",
  "python manage.py celery beat",
  "python celery_worker.py",
  "python -c import\u00a0app",
  "python -c from\u00a0multiprocessing.spawn\u00a0import\u00a0spawn_main",
])("a Python program stays possible when nothing names Celery's worker: %s", (words) => {
  expect(program(words)).toEqual({ kind: "python" });
});

test.each([
  ["from billiard.spawn import spawn_main; spawn_main(tracker_fd=17, pipe_handle=19)", "--billiard-fork"],
  ["from billiard.semaphore_tracker import main;main(16)"],
])("a pool process is told when it was spawned: %s", (...code) => {
  expect(readCommandLine(commandLine(["/venv/bin/python", "-B", "-c", ...code]))).toEqual({
    kind: "child",
    node: null,
  });
});

describe("titles of setproctitle", () => {
  test.each([
    [
      "[celeryd: w1@world:MainProcess] -active- (-A tasks worker -l INFO -P prefork -c 2 -n w1@world -Q a,c)",
      main({
        node: "w1@world",
        name: "w1@world",
        values: values("-A tasks worker -l INFO -P prefork -c 2 -n w1@world -Q a,c"),
      }),
    ],
    ["[celeryd: celery@web-1:MainProcess] -active- ()", main({ node: "celery@web-1" })],
    ["[celeryd: celery@web-1:MainProcess]", main({ node: "celery@web-1" })],
    ["[celeryd: a:b@c]:d:MainProcess] -active- (worker)", main({ node: "a:b@c]:d" })],
    // A management command: Celery leaves `manage.py celery` out.
    [
      "[celeryd: w@x:MainProcess] -active- (worker -c4)",
      main({ node: "w@x", values: values("worker -c 4") }),
    ],
    // Cut off where the room ended.
    [
      "[celeryd: w@x:MainProcess] -active- (-A t worker -c 4 -Q first,sec",
      main({ node: "w@x", values: values("-A t worker -c 4") }),
    ],
    ["[celeryd: w1@world:ForkPoolWorker-1]", { kind: "child", node: "w1@world" }],
    ["[celeryd: w1@world:SpawnPoolWorker-12]", { kind: "child", node: "w1@world" }],
    ["[celeryd: w1@world:ForkPoolWorker-1:2]", { kind: "child", node: "w1@world" }],
    ["[celeryd:MainProcess] -active- (worker)", main()],
    ["[celery beat] -A tasks beat", { kind: "another", what: "beat" }],
    ["[celeryev:top] -A tasks worker", { kind: "another", what: null }],
    ["[celeryd: w1@wor", { kind: "other" }],
  ])("are read when they are %s", (title, expected) => {
    expect(readCommandLine(commandLine(title))).toEqual(expected);
  });
});

test.each([
  ["/usr/bin/python3 manage.py runworker", "python3 manage.py runworker"],
  ["python -u -m app.run fast --password x", "python -m app.run fast"],
  ["python run.py redis://:secret@h/0 more", "python run.py"],
  ["python -c import\u00a0app;password='x' more", "python -c …"],
  ["python redis://:secret@h/0", "python"],
  ["python -m app.run app:secret@cache.internal", "python -m app.run"],
  ["python run.py password=x more", "python run.py"],
  ["app\u00a0redis://app:secret@cache.internal", "app"],
  ["redis://app:secret@cache.internal\u00a0worker", ""],
  ["jobs:\u00a0main\u00a0app:secret@cache.internal/0", "jobs: main"],
  ["jobs\u00a0-c\u00a0secret", "jobs"],
  [
    "[celeryd:\u00a0celery@web-1:MainProcess]\u00a0-active-\u00a0(worker\u00a0-b\u00a0redis://:x@h)",
    "[celeryd: celery@web-1:MainProcess]",
  ],
])("programWords shows no secrets when a program is %s", (words, shown) => {
  expect(programWords(commandLine(words.split(" ").map((word) => word.replaceAll("\u00a0", " "))))).toBe(
    shown,
  );
});
