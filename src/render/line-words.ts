import type { LineKind } from "../celery/line-kinds.ts";

/** What each kind of log line means → the next step. */
export const LINE_WORDS: { readonly [K in LineKind]: `${string} → ${string}` } = {
  "circular-import":
    "two modules import each other → move the import into the function that needs it, or the shared code into a third module",
  "not-configured":
    "the settings are incomplete (ImproperlyConfigured) → the log names the setting; Django wants DJANGO_SETTINGS_MODULE before the application is made",
  "redis-missing":
    'the Python package redis is not installed → pip install "celery[redis]" into the environment that runs it',
  "app-missing":
    "-A names no Celery application → -A takes MODULE or MODULE:VARIABLE; set --workdir or PYTHONPATH to the folder of the module",
  "module-missing":
    "a module was not found → install it into the worker's environment, or set PYTHONPATH and --workdir",
  "bad-option":
    "celery refused its command line → correct it; -A, -b and --workdir stand before the word worker or beat",
  "pid-file":
    "its pid file exists already → stop the other one; if none runs, remove the file; a container needs no --pidfile",
  "read-only": "the file system is read-only → put -s, -S, --pidfile and -f on a writable volume",
  "lock-lost":
    "beat lost the lock of its schedule to another beat, or to time → run one beat; keep redbeat_lock_timeout at five times beat_max_loop_interval or more",
  schedule:
    "beat's schedule file was corrupt, and beat has replaced it → give each beat a file of its own (-s), and stop beat by SIGTERM",
  "no-broker":
    "no broker was set, so Celery took amqp:// on this machine → set broker_url, CELERY_BROKER_URL or -b; is the configuration read, and its namespace right?",
  "broker-full":
    "the broker is full and takes nothing → see broker-memory: make room or raise maxmemory, with maxmemory-policy noeviction",
  "broker-misconf":
    "the broker refuses writes because it cannot save to its disk (MISCONF) → make room on the disk of Redis and check the rights of its dir: Redis' own log says which",
  "broker-replica":
    "the broker is a replica and takes no writes → name the primary in the broker URL: INFO replication of this server tells it",
  "broker-cluster":
    "the broker is a Redis Cluster, which Celery cannot use → use one Redis server without cluster mode, or Sentinels",
  "broker-clients":
    "the broker takes no more connections → raise maxclients, or find who holds them: CLIENT LIST",
  "broker-loading":
    "the broker was still loading its data → wait; INFO persistence of Redis says how much is left",
  "broker-login": "the broker refuses the login → see broker: the password of the URL, or the user's rights",
  "broker-rights":
    "the worker's user at the broker may not do what Celery needs → give the worker's user what it needs, which is enough for the probe: ACL SETUSER name ~* &* +@all -@dangerous +info",
  "result-login":
    "the result backend refuses the login → correct the password or the user in result_backend (CELERY_RESULT_BACKEND); tasks end, and their results are lost",
  "result-refused":
    "the result backend refuses what the worker writes → look at the server that result_backend names: its memory, its disk, its role, the rights of the user",
  "too-many-files":
    "the worker has too many open files (Errno 24) → ls /proc/PID/fd shows which; close them in the task, or raise the limit: ulimit -n, LimitNOFILE",
  permission: "the worker was not permitted to do something → chown or mount it for the worker's user",
  "no-space": "a disk is full → df -h shows which; logs, results on disk and --statedb fill one",
  unregistered:
    "the worker threw away tasks that it does not know → import their module (include, imports, autodiscover_tasks), or deploy the code that has them",
  undecodable:
    "the worker met messages that it cannot read → add the task_serializer of clients and other workers to accept_content; does another program use this queue, or this broker?",
  "result-store":
    "the result backend could not be reached → check result_backend and that server; then restart the worker, which does not connect again by itself",
  "hard-limit": "a task was killed at its hard time limit → raise --time-limit, or make the task shorter",
  "soft-limit": "a task met its soft time limit → raise --soft-time-limit, or make the task shorter",
  "main-killed":
    "the shell says that the worker was killed (signal 9) → mostly too little memory, or a stop that took too long: see the container's OOMKilled and its stop timeout",
  "child-lost-again":
    "the same tasks killed their children, and were delivered again each time → correct that task, then purge or revoke it; task_reject_on_worker_lost delivers it again",
  "child-killed":
    "a child was killed in the middle of a task → see oom-kills and memory; if none was killed for memory, the task itself or somebody else sent signal 9",
  "child-crashed":
    "a child crashed in C code in the middle of a task → set PYTHONFAULTHANDLER=1, so that the log shows where; suspect the newest package with C code",
  "child-stopped":
    "a child was stopped by a signal in the middle of a task → somebody sent it: an orchestrator, a script, or the task itself; stop the main process alone",
  "child-exited":
    "a child ended itself in the middle of a task → look for exit() in the task and in what it calls",
  "no-memory":
    "a task has run out of memory → see memory; smaller tasks, fewer children (-c), or a higher limit",
  "control-command":
    "a control command has failed → the traceback below it in the log says why; a doctor's or a monitor's question may fail like this; on most versions of kombu this disables the worker's remote control",
  "broker-lost": "the connection to the broker was lost or refused → see broker; Redis' own log says why",
  "publish-failed":
    "a program could not reach the broker it publishes to (OperationalError) → check that its application has the same broker_url as the worker",
  "clock-drift":
    "the clocks of workers differ → synchronise them (NTP) and set one time zone; ETAs, expires and beat go by the clock",
  retried:
    "tasks are retried again and again, and no task of that name has succeeded → the exception behind Retry in the log says why; set max_retries",
  discarded:
    "tasks were thrown away before they began: they had expired → raise expires above the time that they wait, and compare the clocks of client and worker",
  "task-failed":
    "tasks have raised an exception → the traceback below each such line says why; use autoretry_for for errors that pass by themselves",
  unrecoverable:
    "the worker met an error that it cannot handle → the traceback below it in the log says why; restart it",
  crashed:
    "an exception was raised before it began to work → the last line of the traceback in the log says why",
};
