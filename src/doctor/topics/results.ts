import { asNumber } from "../../numbers.ts";
import type { Reply } from "../../broker/channel.ts";
import { findServer } from "../../broker/find-server.ts";
import { hasResultPrefix, type NamedBackend, readBackend, toldBackend } from "../../celery/result-backend.ts";
import { BEGINNING, readFailure, RESULT_KEYS, statusOf } from "../../celery/results.ts";
import { begunBy } from "../../celery/tasks.ts";
import { variablesOf } from "../../celery/settings.ts";
import { label } from "../../cli/usage.ts";
import { settingsOf } from "../../discovery/broker-settings.ts";
import { scan, type Send } from "../../session/scan.ts";
import type { Counted, Frequent, NotCounted } from "../facts/results.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";

/** Celery itself reads it, and gives it to the setting (celery/app/utils.py `Settings.result_backend`). */
const [VARIABLE = ""] = variablesOf("result_backend");

/** Keys looked at by one SCAN, and results by one write (docs/doctor.md has what that costs); SCAN gives keys in no order. */
const SLICE = 200;
const MOST = 20_000;
const READ_MS = 1_500;

/** Failures that are looked into, of so many bytes at most; names of exceptions and tasks that are told. */
const LOOKED_INTO = 100;
const LARGEST = 60_000;
const TOLD = 3;

/** How many results are failures. */
export const results: Topic = async (scene) => {
  const { host, deadline, config, session, check } = scene;
  if (!session.ok) return [];
  const conf = await scene.told("conf");
  const { target } = session.value.read;
  const named = namedBackend(scene) ?? toldBackend(conf);
  const broker = { url: check.plan.broker.shown, from: "the broker, as no other is named" };
  const located = { kind: "servers", servers: [target] } as const;
  const backend =
    named === null
      ? { kind: "redis" as const, located, ...broker }
      : readBackend(named, settingsOf(config), target);
  if (backend.kind !== "redis") return [finding("failed-results", null, backend)];
  const { url, from } = backend;
  const connectMs = config["connect-timeout"].value;
  const isTheWorkers = () => Promise.resolve(false);
  const found = await findServer(backend.located, {
    ...host,
    connectMs,
    leftMs: deadline.left,
    isTheWorkers,
  });
  const unusable = { kind: "unusable", isBrokers: named === null } as const;
  if (!found.ok) return [finding("failed-results", null, { url, from, ...unusable, failure: found.problem })];
  const { channel } = found.value;
  const send: Send = (commands) => channel.send(commands, deadline.atMost(connectMs));
  const counted = await count(scene, send, hasResultPrefix(conf) ? `*${RESULT_KEYS}` : RESULT_KEYS, unusable);
  channel.close();
  const begun = begunBy(await scene.told("stats"));
  const facts = counted.kind === "counted" ? { ...counted, begun } : counted;
  return [finding("failed-results", null, { url, from, ...facts })];
};

/** By the option, or the variable: of a worker in sight, or ours. */
function namedBackend(scene: Scene): NamedBackend | null {
  const { value: given, origin } = scene.config["result-backend"];
  if (given !== null) return { text: given, from: label(origin) };
  for (const { process } of scene.workers) {
    const text = process.environment?.[VARIABLE];
    if (text) return { text, from: `${VARIABLE} of process ${process.pid}` };
  }
  const text = scene.host.env[VARIABLE];
  return text ? { text, from: VARIABLE } : null;
}

async function count(
  { host, deadline, config }: Scene,
  send: Send,
  pattern: string,
  unusable: Omit<Extract<NotCounted, { kind: "unusable" }>, "failure">,
): Promise<Omit<Counted, "begun"> | NotCounted> {
  const size = await send([["DBSIZE"]]);
  if (!size.ok) return { ...unusable, failure: size.problem };
  const end = host.now() + Math.min(READ_MS, deadline.left() / 2);
  // By key, as SCAN may give one twice; null: no JSON.
  const statuses = new Map<string, string | null>();
  const scanned = await scan(
    send,
    { pattern, slice: SLICE },
    // The beginning alone: a result may be of any size, and what is copied keeps the server.
    (keys) => keys.map((key) => beginningOf(key, BEGINNING)),
    (keys, replies) => {
      // One that has expired meanwhile has none.
      const all = keys.map((key, position) => [key, textOf(replies[position])] as const);
      for (const [key, text] of all) if (text !== "") statuses.set(key, statusOf(text));
    },
    () => host.now() < end && statuses.size < MOST,
  );
  if (scanned.failure !== null) return { ...unusable, failure: scanned.failure };
  if (scanned.refusal !== null) return { kind: "refused", detail: scanned.refusal };
  const having = (wanted: string | null) =>
    [...statuses].flatMap(([key, status]) => (status === wanted ? [key] : []));
  const failed = having("FAILURE");
  const looked = failed.slice(0, LOOKED_INTO).map((key) => beginningOf(key, LARGEST));
  const texts = looked.length === 0 ? null : await send(looked);
  const failures = (texts?.ok ? texts.value : []).flatMap((reply) => readFailure(textOf(reply)) ?? []);
  const newest = Math.max(...failures.map(({ doneS }) => doneS ?? -Infinity));
  const [keys] = size.value;
  const total = keys?.ok === true ? asNumber(keys.value) : 0;
  const most = config["max-failed"];
  return {
    kind: "counted",
    ...{ results: statuses.size, unread: having(null).length, failed: failed.length, limit: most.value },
    isUsual: most.origin.kind === "default",
    sample: scanned.isWhole ? null : { passed: Math.min(scanned.passed, total), keys: total },
    exceptions: frequent(failures.map(({ exception }) => exception)),
    tasks: frequent(failures.map(({ task }) => task)),
    newestS: Number.isFinite(newest) ? Math.max(0, host.epochSeconds() - newest) : null,
  };
}

const beginningOf = (key: string, bytes: number) => ["GETRANGE", key, 0, bytes - 1] as const;

/** Empty: it is gone, or none. */
function textOf(reply: Reply | undefined): string {
  return reply?.ok === true && typeof reply.value === "string" ? reply.value : "";
}

/** The most frequent names, and how often each is there. */
function frequent(names: readonly (string | null)[]): readonly Frequent[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, TOLD);
}
