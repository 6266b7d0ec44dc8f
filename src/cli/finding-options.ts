import { redact } from "../broker/url.ts";
import {
  BROKER_OPTIONS,
  type CommandOptions,
  deadlineOf,
  FORMAT,
  SEVERAL_NAMES,
  WORKERS,
} from "./command-option.ts";
import { onOffSwitch, type Option, optional, type OptionTable, valued } from "./option.ts";
import type { OptionName } from "./options.ts";
import {
  backendUrl,
  count,
  duration,
  filePath,
  oneOf,
  queueLimit,
  type QueueLimit,
  USUAL_QUEUE_LIMIT,
  webUrl,
} from "./values.ts";

/** The level that makes the exit code 1. */
const FAIL_ON = valued(
  "LEVEL",
  oneOf("warning", "problem"),
  { value: "problem", text: "problem" },
  { group: "verdict", summary: "lowest level of a finding that ends with exit code 1" },
);

/** The options of `doctor` and `report` beyond the check's. */
const FINDINGS = {
  "max-queue-length": {
    argument: "[QUEUE=]N",
    parse: queueLimit,
    default: [{ queue: null, limit: USUAL_QUEUE_LIMIT }],
    defaultText: String(USUAL_QUEUE_LIMIT),
    repeats: true,
    group: "work",
    summary: "warn when more messages wait in QUEUE, or in any queue",
  } satisfies Option<readonly QueueLimit[]>,
  "max-failed": valued(
    "N",
    count(0, 999_999_999),
    { value: 10, text: "10" },
    { group: "findings", summary: "warn when more results are failures" },
  ),
  "limit-gap": valued(
    "DURATION",
    duration,
    { value: 30_000, text: "30s" },
    { group: "findings", summary: "least distance between the time limits of a task" },
  ),
  "result-backend": {
    ...optional("URL", backendUrl, {
      group: "findings",
      summary: "URL of the results",
      otherwise: "CELERY_RESULT_BACKEND, else the broker",
    }),
    show: () => "***",
  },
  observe: valued(
    "DURATION",
    duration,
    { value: 5_000, text: "5s" },
    { group: "findings", summary: "time to watch queues, CPU and broker; at most half of the time left" },
  ),
  log: optional("PATH", filePath, {
    group: "findings",
    summary: "the worker's log; - reads stdin",
    otherwise: "the file of its -f",
    details:
      "PATH is a regular file, or a link to one. Only `-` reads a pipe: `docker logs worker 2>&1 | celery-probe doctor " +
      "--log -`. The doctor refuses `<(docker logs worker)`, /proc/1/fd/1 and a /dev/stdin that is a pipe, and so takes " +
      "nothing from their readers.",
  }),
  flower: {
    ...optional("URL", webUrl, {
      group: "findings",
      summary: "Flower to compare with: http://[user:password@]host:5555",
    }),
    show: (text: string) => (text.includes("@") ? redact(text) : text),
  },
} as const satisfies OptionTable;

export const DOCTOR = {
  ...FINDINGS,
  "fail-on": FAIL_ON,
  deadline: deadlineOf(15_000, "15s"),
  output: FORMAT,
} as const satisfies OptionTable;

export const REPORT = {
  ...FINDINGS,
  "with-arguments": onOffSwitch({ group: "output", summary: "leave the arguments of tasks in" }),
  deadline: deadlineOf(30_000, "30s"),
  output: FORMAT,
} as const satisfies OptionTable;

/** The options that `doctor` and `report` share with the check. */
export const FINDING_OPTIONS = [
  ...BROKER_OPTIONS,
  ...WORKERS,
  "busy-grace",
  "queue",
  "max-task-age",
  "timeout",
  "retries",
] as const satisfies readonly OptionName[];

export const FINDING_WORDS = {
  node: {
    summary: "worker to look at, with its queues",
    otherwise: "every worker in sight; with --placement remote, every worker of the broker",
    details:
      "Findings about the broker, its deliveries and results stay. Repeat the option, or separate names by commas.",
  },
  queue: {
    summary: "look at this queue too, besides the queues that the workers consume",
    details: SEVERAL_NAMES,
  },
  "max-task-age": {
    summary: "report a task that has been running for longer",
    otherwise: "only its time limits count",
    details:
      "A warning; a problem where the pool enforces no time limit. Workers are asked for their active tasks, which is safe " +
      "from Celery 5.2 on. Older workers are not asked, and the finding is skipped.",
  },
} satisfies CommandOptions["words"];
