/**
 * The packages of one venv. The versions are exact, because kombu and redis-py decide most of what a worker does on the
 * wire.
 */
export interface Pair {
  readonly celery: string;
  readonly kombu: string;
  readonly redisPy: string;
  /** Further pins. The reason of each is beside it in the table. */
  readonly extra: readonly string[];
  /** kombu's own `redis` extra excludes this redis-py. But it works, and people use it. */
  readonly pastItsExtra?: true;
  /** It was made for Python up to 3.11 and needs `older_python.py` on newer versions. */
  readonly forOlderPython?: true;
}

/** The usual pairs of their time, and one that a fresh install of an older Celery gives today ("crossed"). */
export const PAIRS = {
  // setuptools: its command imports pkg_resources. setuptools dropped it in 82, and venvs have no setuptools since
  // Python 3.12.
  "5.0.5": {
    celery: "5.0.5",
    kombu: "5.0.2",
    redisPy: "3.5.3",
    extra: ["setuptools==80.9.0"],
    forOlderPython: true,
  },
  "5.2.7": { celery: "5.2.7", kombu: "5.2.4", redisPy: "4.5.5", extra: [], forOlderPython: true },
  "5.3.6": { celery: "5.3.6", kombu: "5.3.7", redisPy: "5.0.8", extra: [] },
  "5.4.0": { celery: "5.4.0", kombu: "5.4.2", redisPy: "5.0.8", extra: [] },
  "5.5.3": { celery: "5.5.3", kombu: "5.5.4", redisPy: "5.2.1", extra: [] },
  "5.6.3": { celery: "5.6.3", kombu: "5.6.2", redisPy: "7.1.0", extra: [], pastItsExtra: true },
  // For workers that answer in YAML and msgpack (`task_serializer`).
  "5.7.0": { celery: "5.7.0", kombu: "5.7.0", redisPy: "8.1.0", extra: ["pyyaml==6.0.3", "msgpack==1.1.2"] },
  "5.6.3-crossed": { celery: "5.6.3", kombu: "5.7.0", redisPy: "8.1.0", extra: [] },
} as const satisfies Readonly<Record<string, Pair>>;

/** A row of {@link PAIRS}, by its Celery version. */
export type CeleryVersion = keyof typeof PAIRS;

/** It is in every venv, so that one venv serves all pools except eventlet. */
export const GEVENT = "gevent==26.9.0";

/** Only on request: eventlet patches the modules that it finds, and Celery advises against it. */
export const EVENTLET = "eventlet==0.41.3";
