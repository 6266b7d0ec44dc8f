import type { LogFacts, LogPart } from "../../doctor/facts/log.ts";
import type { KnownLines } from "../../celery/line-kinds.ts";
import type { Unread } from "../../machine/parts.ts";
import { LINE_WORDS } from "../line-words.ts";
import { amount, names, shortened } from "../speech.ts";
import type { WordsOf } from "./words.ts";

/** Characters of a log line that are shown. */
const SHOWN = 120;

const SINCE = "since its last start";
const BEFORE = "before its last start";

export const LOG_WORDS: WordsOf<LogFacts> = {
  log(facts, level) {
    switch (facts.kind) {
      case "none":
        return { seen: "no log was read", next: BY_STDIN };
      case "clean":
        return `no known problem in ${partOf(facts.part, amount(facts.lines, "line"))}`;
      case "unreadable":
        return unreadableWords(facts.because);
      case "known": {
        const { tasks, its } = facts;
        const { kind, count, hasEnded, last } = its;
        const [name, usual = ""] = LINE_WORDS[kind].split(" → ");
        const next = facts.knowing.length === 0 ? usual : ownQueues(facts.knowing);
        const where =
          facts.part === "since-start"
            ? SINCE
            : facts.part === "before-start"
              ? BEFORE
              : `in ${partOf(facts.part, "it")}`;
        const end = hasEnded ? ", which ended it" : "";
        const of = kind === "task-failed" && tasks >= count ? ` of ${amount(tasks, "task")}` : "";
        return {
          seen: `${name}${end}, ${count} ×${of} ${where}; last: ${shortened(last, SHOWN)}`,
          next: level === "ok" ? null : next,
        };
      }
      case "earlier":
        return `${BEFORE}: ${facts.its.map(briefly).join("; ")}`;
      default:
        return facts satisfies never;
    }
  },
  "pool-package": ({ pool }) => ({
    seen: `the worker was started with -P ${pool}, and ${pool} is not installed`,
    next: `pip install "celery[${pool}]", or another pool`,
  }),
};

/** For a queue that another application's workers consume too. */
function ownQueues(nodes: readonly string[]): string {
  const know = nodes.length === 1 ? "knows" : "know";
  return `${names(nodes)} ${know} it: give each application a queue (task_default_queue) or a database of its own, or deploy one code to all`;
}

/** `docker logs -f` never ends, so stdin is read for half of the time. */
const BY_STDIN = "docker logs … 2>&1 | celery-probe doctor --log -";

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
  if (part === "since-start" || part === "before-start")
    return `${text} ${part === "since-start" ? SINCE : BEFORE}`;
  return part === "whole" ? text : `the last 4 MB of ${text}`;
}

/** The last line of a kind, and how many more there are. */
function briefly({ count, last }: KnownLines): string {
  return shortened(last, SHOWN) + (count > 1 ? ` and ${count - 1} more of its kind` : "");
}
