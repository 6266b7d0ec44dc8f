import type { CeleryVenv } from "../test/world/python.ts";
import type { DjangoProject } from "./django-project.ts";
import type { Command } from "./run.ts";

/** A program that is measured: one row of every table. */
export interface Contender {
  readonly id: string;
  /** The name in the page and in the chart. */
  readonly name: string;
  /** A description for readers without knowledge of the sources. */
  readonly details: string;
  /** Absolute path of the started file. If it does not exist, the row says so. */
  readonly file: string;
  /** Whether only this file must be installed, so that its size means something. */
  readonly isWhole: boolean;
  /** The command that asks once. Each run gets a new one. */
  readonly command: (ask: Ask) => Command;
}

/** How a contender must ask. */
export interface Ask {
  /** The port of Redis on 127.0.0.1. */
  readonly port: number;
  /** Under callgrind everything takes fifty times as long. No deadline of the contender may end it. */
  readonly isSlow: boolean;
}

/** What the table of contenders is built from: absolute paths, and the node that is asked. */
export interface Parts {
  readonly node: string;
  readonly probe: string;
  readonly musl: string;
  readonly empty: string;
  readonly redisCli: string;
  readonly celery: CeleryVenv;
  readonly django: DjangoProject;
}

/** The ids of the product's builds for this machine begin with this. The page gives their ratios. */
export const OURS = "probe";
export const MUSL = "musl";
export const FLOOR = "empty";
export const REPLACED = "celery";

/** As few variables as a container's environment has. */
const BARE = { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" };

type Started = Pick<Contender, "file" | "isWhole" | "command">;

/** A build of the product that asks about the node. `words` come before its own arguments. */
export function probing(file: string, node: string, words: readonly string[] = []): Started {
  return {
    file,
    isWhole: true,
    command: ({ port, isSlow }: Ask): Command => ({
      file,
      args: [
        ...words,
        ...["--node", node],
        ...(isSlow ? ["--connect-timeout", "1m", "--timeout", "1m", "--deadline", "5m"] : []),
      ],
      // Not CELERY_BROKER_URL: the broker of the worker in sight would win, and a proxy would not be asked.
      env: { ...BARE, CELERY_PROBE_BROKER: brokerUrl(port) },
    }),
  };
}

/** An executable that asks nothing. */
export function idling(file: string): Started {
  return { file, isWhole: true, command: () => ({ file, args: [], env: BARE }) };
}

/** The table. Another contender needs only one more row. */
export function contenders(parts: Parts): Contender[] {
  const { node, celery, django } = parts;
  const inspect = (venv: CeleryVenv, words: readonly string[], env: Readonly<Record<string, string>>) => ({
    file: venv.python,
    isWhole: false,
    command: ({ port, isSlow }: Ask): Command => ({
      file: venv.python,
      // Python starts the script. In a venv that can be moved, it is a shell script, which starts two more programs.
      args: [venv.celery, ...words, "inspect", "ping", "-d", node, ...(isSlow ? ["-t", "60"] : [])],
      env: { ...BARE, ...env, CELERY_BROKER_URL: brokerUrl(port) },
    }),
  });
  return [
    {
      id: OURS,
      name: "celery-probe",
      details: `this product: \`dist/celery-probe\`, asked about the one node`,
      ...probing(parts.probe, node),
    },
    {
      id: MUSL,
      name: "celery-probe for musl",
      details: "the same bundle, compiled by Bun for Alpine's libc, and loaded by Debian's package `musl`",
      ...probing(parts.musl, node),
    },
    {
      id: FLOOR,
      name: "empty script in the same Node",
      details: "an executable of the same Node with the same flags whose script is empty; asks nobody",
      ...idling(parts.empty),
    },
    {
      id: "redis-cli",
      name: "redis-cli ping",
      details: "asks Redis and no worker",
      file: parts.redisCli,
      isWhole: false,
      command: ({ port }) => ({ file: parts.redisCli, args: ["-p", String(port), "ping"], env: BARE }),
    },
    {
      id: REPLACED,
      name: "celery inspect ping -d",
      details: "without an application: `celery inspect ping -d NODE`",
      ...inspect(celery, [], {}),
    },
    {
      id: "celery-django",
      name: "inspect ping, Django project",
      details:
        "`celery -A proj inspect ping -d NODE`, with `proj/celery.py` as in Celery's documentation: it loads the " +
        "settings and what they import, and no application",
      ...inspect(django.venv, ["--workdir", django.folder, "-A", "proj"], django.env),
    },
    {
      id: "celery-django-setup",
      name: "inspect ping, Django set up",
      details:
        "the same project, whose Celery module calls `django.setup()` and finds its tasks. It has 40 models and 40 tasks " +
        "in eight applications, Django REST framework and what is usually installed with it",
      ...inspect(django.venv, ["--workdir", django.folder, "-A", "proj.with_setup"], django.env),
    },
  ];
}

function brokerUrl(port: number): string {
  return `redis://127.0.0.1:${port}/0`;
}
