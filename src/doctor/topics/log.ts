import { maskText } from "../../inspect/mask-text.ts";
import type { Files, Unread } from "../../machine/parts.ts";
import { type Outcome, success } from "../../outcome.ts";
import { startedS } from "../../worker/age.ts";
import { asSeenBy } from "../../worker/in-sight.ts";
import type { LogPart } from "../facts/log.ts";
import type { Finding } from "../finding.ts";
import type { KnownLines } from "../../celery/line-kinds.ts";
import { knownLines, missingPool, succeededIn } from "../../celery/known-lines.ts";
import { begunBy, knownBy, whoKnows } from "../../celery/tasks.ts";
import { finding } from "../levels.ts";
import { filledIn } from "../../celery/node-name.ts";
import { endOf, type LogText, type Runner, type Runs, runsAmong, runsOf } from "../../celery/log-runs.ts";
import type { Scene, Topic } from "../scene.ts";
import { knownWorkers } from "../workers-known.ts";

/** In bytes. Only the end of a longer log is read. */
const MOST = 4_000_000;

/** Stdin gets this share of the time left, because `docker logs -f` never ends. */
const SHARE = 0.5;

interface Log {
  readonly name: string;
  readonly runs: Outcome<Runs & { readonly isWhole: boolean }, Unread>;
  /** Whether `--log` names this log; otherwise it is the file of a worker's -f. */
  readonly isAsked: boolean;
}

/** The log of `--log`, or the log files of the workers in sight. */
export const log: Topic = async (scene) => {
  const logs = await readLogs(scene);
  if (logs.length === 0) return [finding("log", null, { kind: "none" })];
  const begun = begunBy(await scene.told("stats"));
  const known = knownBy(await scene.told("registered"));
  const knowing = (task: string) => whoKnows(task, known, [...known.keys()]).knowing;
  return logs.flatMap(({ name, runs, isAsked }): readonly Finding[] => {
    if (!runs.ok) return [finding("log", name, { kind: "unreadable", because: runs.problem, isAsked })];
    const { before, since, isWhole } = runs.value;
    const earlier = before === null ? [] : shownLines(before);
    const part = earlier.length > 0 ? "since-start" : isWhole || before !== null ? "whole" : "end";
    const found = findingsSince(name, since, { part, begun, knowing });
    const isNamed = found.some(
      (one) => one.code === "log" && one.facts.kind === "known" && one.facts.its.hasEnded,
    );
    // The worker has ended, and a supervisor may keep starting it. Its last end counts until it is back.
    const ends = isBack(scene) || isNamed ? [] : earlier.filter(({ hasEnded }) => hasEnded);
    const past = earlier.filter((one) => !ends.includes(one));
    return [
      ...found,
      ...ends.map((its) =>
        finding("log", name, { kind: "known", its, part: "before-start", tasks: 0, knowing: [] }),
      ),
      ...(past.length === 0 ? [] : [finding("log", name, { kind: "earlier", its: past })]),
    ];
  });
};

function isBack({ check: { verdict } }: Scene): boolean {
  return verdict.reason !== "dead" && verdict.reason !== "starting";
}

interface Around {
  readonly part: LogPart;
  readonly begun: number;
  /** The nodes that know a task. */
  readonly knowing: (task: string) => readonly string[];
}

function findingsSince(name: string, text: string, { part, begun, knowing }: Around): readonly Finding[] {
  const known = shownLines(text);
  const succeeded = succeededIn(text);
  const failed = known.find(({ kind }) => kind === "task-failed")?.count ?? 0;
  const tasks = succeeded > 0 ? succeeded + failed : begun;
  const pool = missingPool(text);
  if (known.length === 0) {
    const lines = text.split("\n").length - 1;
    return [finding("log", name, { kind: "clean", lines, part })];
  }
  const found = known.map((its) => {
    const task = its.kind === "unregistered" ? /'([^']+)'$/.exec(its.last)?.[1] : undefined;
    const who = task === undefined ? [] : knowing(task);
    return finding("log", name, { kind: "known", its, part, tasks, knowing: who });
  });
  const bad = found.filter(({ level }) => level !== "ok");
  return [
    ...(pool === null ? [] : [finding("pool-package", name, { pool })]),
    ...(bad.length > 0 ? bad : found),
  ];
}

/** The known lines, with secrets masked. */
function shownLines(text: string): readonly KnownLines[] {
  return knownLines(text).map((its) => ({ ...its, last: maskText(its.last) }));
}

async function readLogs(scene: Scene): Promise<readonly Log[]> {
  const { config, deadline, host } = scene;
  const given = config.log.value;
  const files = await host.files();
  if (given === "-") {
    const text = await files.input(MOST, deadline.left() * SHARE);
    const runners = await runnersOf(scene);
    const runs = success(inRuns({ text, writtenS: null }, (its) => runsAmong(its, runners)));
    return [{ name: "stdin", isAsked: true, runs }];
  }
  if (given !== null) {
    const runners = await runnersOf(scene);
    return [{ name: given, isAsked: true, runs: runsIn(files, given, (its) => runsAmong(its, runners)) }];
  }
  return (await knownWorkers(scene)).flatMap(({ node, process }) => {
    const path = process?.command.values.get("logfile");
    if (process === null || path === undefined || path === "" || path === "-") return [];
    const name = filledIn(path, node);
    const runner = { node, startedS: startedS(host, process) };
    const seen = asSeenBy(process.pid, name);
    return [{ name, isAsked: false, runs: runsIn(files, seen, (its) => runsOf(its, runner)) }];
  });
}

async function runnersOf(scene: Scene): Promise<readonly Runner[]> {
  const workers = await knownWorkers(scene);
  return workers.map(({ node, process }) => ({
    node,
    startedS: process === null ? null : startedS(scene.host, process),
  }));
}

function runsIn(files: Files, path: string, split: (log: LogText) => Runs): Log["runs"] {
  const look = files.look(path);
  const text = files.tail(path, MOST);
  if (!text.ok) return text;
  return success(inRuns({ text: text.value, writtenS: look.ok ? look.value.modifiedS : null }, split));
}

function inRuns(log: LogText, split: (log: LogText) => Runs): Runs & { readonly isWhole: boolean } {
  const { text, isWhole } = endOf(log.text);
  return { ...split({ ...log, text }), isWhole: isWhole && Buffer.byteLength(log.text) < MOST };
}
