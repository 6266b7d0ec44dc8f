import type { Hearing, Look, NodeEvidence, NotTaken, ProcessSight, SharedLife } from "../health/evidence.ts";
import type { Sighted } from "../discovery/suspect.ts";
import type { Connections } from "../worker/connections.ts";
import { amount, brief, names, place, seconds, sentence, time } from "./speech.ts";

/** The evidence about one node for people: each line with its label. */
export function nodeLines({
  process,
  looks,
  heartbeats,
}: NodeEvidence): readonly (readonly [string, string])[] {
  if (process.kind === "unexamined") return [];
  const last = looks.at(-1);
  return [
    ["process", processWords(process, last)],
    ...(process.kind === "seen"
      ? [
          [
            "connections",
            connectionWords(looks.findLast((look) => look.connections !== null)?.connections ?? null),
          ] as const,
        ]
      : []),
    ["heartbeats", hearingWords(heartbeats)],
  ];
}

function processWords(
  process: Exclude<ProcessSight, { kind: "unexamined" }>,
  last: Look | undefined,
): string {
  switch (process.kind) {
    case "out-of-sight":
      return OUT_OF_SIGHT[process.because];
    case "none":
      if (process.zombie !== null) return `${process.zombie}, a zombie`;
      return process.suspect === null
        ? "none"
        : `none known; perhaps ${process.suspect.candidate.pid} (${brief(process.suspect.candidate.words)}: ${SHOWS[process.suspect.shows]})`;
    case "seen": {
      const { pid, foundBy, pool } = process;
      const look = last?.process;
      const state =
        look === null || look === undefined
          ? "gone"
          : `${look.frozen ? "frozen" : look.state}, started ${seconds(look.ageMs / 1_000)} ago, ${look.children} ${look.children === 1 ? "pool process" : "pool processes"}`;
      return `${pid} (found by its ${FOUND[foundBy]}${pool === null ? "" : `, ${pool}`}), ${state}`;
    }
    default:
      return process satisfies never;
  }
}

/** What a program's connections show if it may be the worker. */
const SHOWS: Readonly<Record<Sighted["shows"], string>> = {
  worker: "it fetches and listens",
  heir: "it holds connections of a worker that forked it",
  fetcher: "it fetches, but does not listen",
  listener: "it listens, but does not fetch",
  hidden: "its connections are unknown",
  client: "it neither fetches nor listens",
  stranger: "it is not connected to the broker",
};

const OUT_OF_SIGHT = {
  remote: "out of sight: remote",
  beside: "out of sight: beside the worker, in another PID namespace",
  "no-proc": "out of sight: /proc is missing or hides processes",
} as const;

const FOUND = {
  command: "command line",
  title: "title",
  pidfile: "pid file",
  connections: "connections",
} as const;

function connectionWords(connections: Connections | null): string {
  if (connections === null) return "not looked at";
  switch (connections.kind) {
    case "known": {
      const { rows, by } = connections;
      const listed = rows
        .slice(0, LISTED)
        .map(({ command, flags, idleS }) => `${command}/${flags}/${idleS ?? "?"} s`)
        .join(", ");
      const rest = rows.length > LISTED ? ", …" : "";
      return `${rows.length} by ${by} (command/flags/idle: ${listed}${rest})`;
    }
    case "none": {
      const also = [
        connections.closeWait ? "the broker has closed some and it has not noticed" : "",
        connections.connecting ? "it is connecting" : "",
        connections.elsewhere.length === 0
          ? ""
          : `it is connected to ${connections.elsewhere.map(place).join(", ")}`,
      ].filter((words) => words !== "");
      return ["none", ...also].join("; ");
    }
    case "unknown":
      return `unknown: ${connections.because}${connections.established === true ? ", established to the broker" : ""}`;
    default:
      return connections satisfies never;
  }
}

/** Connections that are listed. A worker has ten; tasks and result backends may add many. */
const LISTED = 12;

function hearingWords(heartbeats: Hearing): string {
  switch (heartbeats.kind) {
    case "not-listened":
      return "not listened to";
    case "refused":
      return "the broker refuses to let the probe listen";
    case "listened": {
      const within = `in ${time(heartbeats.forMs)}`;
      if (heartbeats.own === null) return `none ${within}`;
      const { count, active, processed, version } = heartbeats.own;
      const inHand = active === null ? "? tasks" : amount(active, "task");
      return `${count} ${within}: ${inHand} running, ${processed ?? "?"} done, Celery ${version ?? "?"}`;
    }
    default:
      return heartbeats satisfies never;
  }
}

/** Nodes that a `serve` saw alive, with the age of the oldest verdict it shared. */
export function sharedWords(lives: readonly SharedLife[]): string {
  const ageS = Math.max(...lives.map((life) => life.ageS));
  const hosts = names([...new Set(lives.map(({ host }) => host))]);
  const who = lives.map(({ node }) => node);
  const seen = lives.length === 1 ? `${names(who)} was` : `${lives.length} nodes (${names(who)}) were`;
  return `${seen} seen alive by celery-probe serve on ${hosts}, ${seconds(ageS)} ago`;
}

/** Why the worker was asked although verdicts are shared. */
export function notTakenWords(why: NotTaken): string {
  return sentence(`not taken: ${because(why)}`);
}

function because(why: NotTaken): string {
  switch (why.because) {
    case "process":
      return `the process of ${why.node} is not seen to run here`;
    case "missing":
      return `${why.node} has no field in ${why.key}; is celery-probe serve --share running?`;
    case "damaged":
      return `no celery-probe serve has written the field of ${why.node} in ${why.key}`;
    case "old":
      return `the shared verdict about ${why.node} is ${seconds(why.ageS)} old`;
    case "earlier-process":
      return `the shared verdict about ${why.node} is ${seconds(why.ageS)} old, and its process is younger`;
    case "not-alive":
      return `${why.node} is ${why.reason} by celery-probe serve on ${why.host}, so it was asked`;
    case "refused":
      return `the broker refuses to show it: ${why.detail}`;
    default:
      return why satisfies never;
  }
}

/** What has to be changed. Otherwise nobody would notice that each check asks the whole fleet. */
export function refusedHint(why: NotTaken | null): string | null {
  if (why?.because !== "refused") return null;
  const isForbidden = why.detail.startsWith("NOPERM");
  const remedy = isForbidden ? ": give its user +time +hget ~celery-probe.verdicts.*" : "";
  return `--accept-shared has no effect, as the broker refuses to show what is shared (${sentence(why.detail)})${remedy}`;
}
