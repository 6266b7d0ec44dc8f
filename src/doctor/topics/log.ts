import { maskText } from "../../inspect/secrets.ts";
import { failure, type Outcome } from "../../outcome.ts";
import type { FileProblem, Files } from "../../machine/parts.ts";
import { type Finding, finding, type Level } from "../finding.ts";
import { knownLines, type LineKind, missingPool } from "../known-lines.ts";
import type { Scene, Topic } from "../scene.ts";
import { knownWorkers } from "../workers-known.ts";

/** So much of a log is read, from its end, in bytes. */
const MOST = 4_000_000;

/** Stdin may take such a share of the time that is left: `docker logs -f` never ends. */
const SHARE = 0.5;

/** What ends a worker, or loses its tasks, is a problem; the rest happens, and is a warning. */
const LEVELS: { readonly [K in LineKind]: Level } = {
  unrecoverable: "problem",
  unregistered: "problem",
  undecodable: "problem",
  "module-missing": "problem",
  permission: "problem",
  "no-space": "problem",
  "broker-full": "problem",
  "broker-login": "problem",
  "hard-limit": "warning",
  "soft-limit": "warning",
  "worker-lost": "warning",
  "no-memory": "warning",
  "control-command": "warning",
  "broker-lost": "warning",
};

/** A log, and how it is called. */
interface Log {
  readonly name: string;
  readonly text: Outcome<string, FileProblem | "folder">;
}

/** The log of `--log`, or those that the workers in sight write. */
export const log: Topic = async (scene) => {
  const logs = await readLogs(scene);
  return logs.flatMap(({ name, text }): readonly Finding[] => {
    if (!text.ok) return [finding("log", "problem", name, { kind: "unreadable", because: text.problem })];
    const isWhole = Buffer.byteLength(text.value) < MOST;
    const known = knownLines(text.value);
    const pool = missingPool(text.value);
    if (known.length === 0) {
      const lines = text.value.split("\n").length - 1;
      return [finding("log", "ok", name, { kind: "clean", lines, isWhole })];
    }
    return [
      ...(pool === null ? [] : [finding("pool-package", "problem", name, { pool })]),
      ...known.map((its) => {
        const facts = { kind: "known", its: { ...its, last: maskText(its.last) }, isWhole } as const;
        return finding("log", LEVELS[its.kind], name, facts);
      }),
    ];
  });
};

async function readLogs(scene: Scene): Promise<readonly Log[]> {
  const { config, deadline, host } = scene;
  const given = config.log.value;
  const files = await host.files();
  if (given === "-") {
    const text = await files.input(MOST, deadline.left() * SHARE);
    return [{ name: "stdin", text: { ok: true, value: text } }];
  }
  if (given !== null) return [{ name: given, text: tailOf(files, given) }];
  return (await knownWorkers(scene)).flatMap(({ node, process, details }) => {
    const path = details?.options.get("logfile");
    if (process === null || path === undefined || path === "" || path === "-") return [];
    const name = filledIn(path, node);
    const root = `/proc/${process.pid}/${name.startsWith("/") ? "root" : "cwd/"}`;
    return [{ name, text: tailOf(files, root + name) }];
  });
}

function tailOf(files: Files, path: string): Log["text"] {
  const look = files.look(path);
  return look.ok && look.value.kind === "folder" ? failure("folder") : files.tail(path, MOST);
}

/** As Celery fills it in for the main process (celery/utils/nodenames.py `node_format`, celery/platforms.py). */
function filledIn(path: string, node: string): string {
  const at = node.indexOf("@");
  const values: Readonly<Record<string, string>> = {
    ...{ h: node, n: node.slice(0, at), d: node.slice(at + 1), p: node, i: "0", I: "" },
    "%": "%",
  };
  return path.replace(/%([hndpiI%])/g, (_, letter: string) => values[letter] ?? "");
}
