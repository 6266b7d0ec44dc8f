import type { ProcessFacts } from "../../doctor/facts/process.ts";
import { amount, brief, bytes, names, place, seconds, time } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const PROCESS_WORDS: WordsOf<ProcessFacts> = {
  memory({ main, children, largestChild, count, limit, used, available, isRecycled }, level) {
    const pool =
      count === 0
        ? ""
        : `, ${amount(count, "child", "children")} ${bytes(children)} (the largest ${bytes(largestChild)})`;
    const container =
      limit === null || used === null ? "" : `; the container ${bytes(used)} of ${bytes(limit)}`;
    const machine = available === null ? "" : `; ${bytes(available)} left on the machine`;
    return {
      seen: `main ${main === null ? "unknown" : bytes(main)}${pool}${container}${machine}`,
      next:
        level !== "warning"
          ? null
          : isRecycled
            ? "more memory for it, or a lower --concurrency"
            : "more memory, a lower --concurrency, or replace children: --max-memory-per-child, --max-tasks-per-child",
    };
  },
  "oom-kills": ({ count }, level) => ({
    seen:
      level === "ok"
        ? "none in this container"
        : `the kernel has killed ${amount(count, "process", "processes")} of this container because memory ran out`,
    next:
      level === "ok"
        ? null
        : "a higher memory limit, a lower --concurrency, or --max-memory-per-child; its tasks are lost without acks_late",
  }),
  restarts: ({ upS, containerUpS }, level) => ({
    seen: `up for ${seconds(upS)}${containerUpS === null ? "" : `, its container for ${seconds(containerUpS)}`}${level === "skipped" ? "; it cannot be seen here whether it was restarted" : ""}`,
    next:
      level === "warning"
        ? "if you have not just started it, something in the container restarts it: its log says why it ended"
        : null,
  }),
  cpu({ main, children, overMs, throttled }, level, _, faults) {
    const times = throttled === 1 ? "once" : `${throttled} times`;
    const held = throttled ? `; the container was held back ${times} (its CPU limit)` : "";
    return {
      seen: `main ${share(main)} of a core, children ${share(children)}, over ${time(overMs)}${held}`,
      next:
        level !== "warning"
          ? null
          : faults.includes("held-back")
            ? "a higher CPU limit, or a lower --concurrency"
            : "the main process cannot hand out tasks faster: send fewer and longer tasks, raise the prefetch multiplier, or start more workers",
    };
  },
  stuck({ wait, isMain, children, overMs }) {
    const who = [
      ...(isMain ? ["its main process"] : []),
      ...(children > 0 ? [amount(children, "child", "children")] : []),
    ].join(" and ");
    const has = isMain === children > 0 || children > 1 ? "have" : "has";
    if (wait.kind === "pipe") {
      return {
        seen: `${who} ${has} been blocked for ${time(overMs)} by writing to ${PIPES[wait.to] ?? brief(wait.to)}: that pipe is full, and no program reads it`,
        next: "restart the program that reads the worker's output (a log shipper, tee, the engine's log driver), or log to a file (-f)",
      };
    }
    return {
      seen: `${who} ${has} waited for ${time(overMs)} on the connection to ${place(wait.remote)}, and done nothing else`,
      next: "if that is the broker or the result backend, a firewall, NAT or load balancer has dropped an idle connection: restart the worker, and set socket_timeout and socket_keepalive (broker_transport_options)",
    };
  },
  interpreter: ({ path, pythonPath, foreignScript }, level) => ({
    seen: `${brief(path)}${foreignScript === null ? "" : `, and runs ${brief(foreignScript)} of another environment`}${pythonPath === null ? "" : `, PYTHONPATH ${brief(pythonPath)}`}`,
    next:
      level === "ok"
        ? null
        : "install Celery and the application into one environment, and start the celery of that environment",
  }),
  "file-permissions"(facts) {
    switch (facts.kind) {
      case "writable":
        return `${names(facts.files)} can be written`;
      case "unseen":
        return `this user may not look at ${names(facts.files)}`;
      case "no-folder":
        return {
          seen: `the folder of ${facts.option} is not there: ${brief(facts.path)}`,
          next: "make it, or mount it",
        };
      case "read-only":
        return {
          seen: `${facts.isFolder ? `the folder of ${facts.option}` : facts.option} is on a read-only file system: ${brief(facts.path)}`,
          next: "name a path on a writable volume, or mount one there (tmpfs, or without :ro)",
        };
      case "forbidden": {
        const { option, path, isFolder, owner, mode, user } = facts;
        return {
          seen: `${isFolder ? `the folder of ${option}` : option} belongs to ${owner} with mode ${mode}, and the worker is ${user}: ${brief(path)}`,
          next: `chown ${user} ${path}`,
        };
      }
      default:
        return facts satisfies never;
    }
  },
};

/** Words for the kinds in {@link Wait}. */
const PIPES: Readonly<Record<string, string>> = {
  stdout: "its stdout",
  stderr: "its stderr",
  output: "its stdout or stderr",
};

function share(part: number): string {
  return `${Math.round(part * 100)} %`;
}
