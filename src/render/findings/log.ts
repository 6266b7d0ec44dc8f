import type { LogFacts, LogPart } from "../../doctor/facts/log.ts";
import type { KnownLines, LineKind } from "../../doctor/known-lines.ts";
import type { Unread } from "../../machine/parts.ts";
import { amount, shortened } from "../speech.ts";
import type { WordsOf } from "./words.ts";

/** So many characters of a line are shown. */
const SHOWN = 120;

const SINCE = "since its last start";

/** What the lines are called, and the next step. */
const KINDS: { readonly [K in LineKind]: readonly [name: string, next: string] } = {
  unrecoverable: [
    "the worker has ended by an error of its own",
    "the lines above it in the log say which; restart it",
  ],
  unregistered: [
    "tasks came that the worker does not know, and were thrown away",
    "import their module (include, imports, autodiscover_tasks), or deploy the code that has them",
  ],
  "module-missing": [
    "a module was not found",
    "install it into the worker's environment, or set PYTHONPATH and --workdir",
  ],
  undecodable: [
    "messages came that the worker cannot read, and were thrown away",
    "accept_content has to have what clients write (task_serializer); who else sends to this queue?",
  ],
  "no-space": ["a disk is full", "df -h shows which; logs, results on disk and --statedb fill one"],
  "broker-full": [
    "the broker is full and takes nothing",
    "see broker-memory: make room or raise maxmemory, with maxmemory-policy noeviction",
  ],
  "broker-login": [
    "the broker refuses the login",
    "see broker: the password of the URL, or the user's rights",
  ],
  "no-memory": [
    "a task has run out of memory",
    "see memory; smaller tasks, fewer children (-c), or a higher limit",
  ],
  permission: ["the worker was not permitted to do something", "chown or mount it for the worker's user"],
  "hard-limit": ["a task was killed at its hard time limit", "raise --time-limit, or make the task shorter"],
  "soft-limit": ["a task met its soft time limit", "raise --soft-time-limit, or make the task shorter"],
  "worker-lost": [
    "a child was killed in the middle of a task",
    "signal 9 is mostly want of memory: see oom-kills and memory",
  ],
  "control-command": [
    "a control command has failed",
    "who sends it? on most versions of kombu this disables the worker's remote control",
  ],
  "broker-lost": ["the connection to the broker was lost or refused", "see broker; Redis' own log says why"],
};

export const LOG_WORDS: WordsOf<LogFacts> = {
  log(facts) {
    switch (facts.kind) {
      case "clean":
        return {
          seen: `nothing known in ${partOf(facts.part, amount(facts.lines, "line"))}`,
          next: null,
        };
      case "unreadable":
        return unreadableWords(facts.because);
      case "known": {
        const { kind, count, last } = facts.its;
        const [name, next] = KINDS[kind];
        const where = facts.part === "since-start" ? SINCE : `in ${partOf(facts.part, "it")}`;
        return { seen: `${name}, ${count} × ${where}; last: ${shortened(last, SHOWN)}`, next };
      }
      case "earlier":
        return { seen: `before its last start: ${facts.its.map(briefly).join("; ")}`, next: null };
      default:
        return facts satisfies never;
    }
  },
  "pool-package": ({ pool }) => ({
    seen: `the worker was started with -P ${pool}, and ${pool} is not installed`,
    next: `pip install "celery[${pool}]", or another pool`,
  }),
};

/** `docker logs -f` never ends: stdin is read for half of the time. */
const BY_STDIN = "docker logs … | celery-probe doctor --log -";

function unreadableWords({ kind, detail }: Unread): ReturnType<WordsOf<LogFacts>["log"]> {
  switch (kind) {
    case "gone":
      return { seen: "it is not there", next: `${BY_STDIN} reads what a worker writes to its terminal` };
    case "forbidden":
      return { seen: "this user may not read it", next: `run it as the worker's user, or ${BY_STDIN}` };
    case "unfit":
      return { seen: `it is ${detail}`, next: `--log takes a file, or - for stdin: ${BY_STDIN}` };
    case "failed":
      return { seen: `it cannot be read (${detail})`, next: BY_STDIN };
    default:
      return kind satisfies never;
  }
}

function partOf(part: LogPart, text: string): string {
  if (part === "since-start") return `${text} ${SINCE}`;
  return part === "whole" ? text : `the last 4 MB of ${text}`;
}

/** The last line, and how many of its kind there are beside it. */
function briefly({ count, last }: KnownLines): string {
  return shortened(last, SHOWN) + (count > 1 ? ` and ${count - 1} more of its kind` : "");
}
