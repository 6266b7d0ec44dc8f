import { asNumber } from "../../numbers.ts";
import { findServer } from "../../broker/find-server.ts";
import { hasResultPrefix, type NamedBackend, readBackend, toldBackend } from "../../celery/result-backend.ts";
import { BEGINNING, type Failure, readFailure, RESULT_KEYS, statusOf } from "../../celery/results.ts";
import { begunBy } from "../../celery/tasks.ts";
import { variablesOf } from "../../celery/settings.ts";
import { label } from "../../cli/usage.ts";
import { settingsOf } from "../../discovery/broker-settings.ts";
import { scan, type Send } from "../../session/scan.ts";
import { ownWorkers } from "../consumption.ts";
import type { Counted, Frequent, NotCounted } from "../facts/results.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";

/** Celery itself reads it, and gives it to the setting (celery/app/utils.py `Settings.result_backend`). */
const [VARIABLE = ""] = variablesOf("result_backend");

/** Keys looked at by one SCAN, and with it results by one write; see docs/doctor.md for what that costs the server. */
const SLICE = 200;

/** So many results are read, for so many milliseconds at most: SCAN gives keys in no order, so that some speak for all. */
const MOST = 20_000;
const READ_MS = 1_500;

/** Failures that are looked into, and the size of a result, in bytes, that is not read. */
const LOOKED_INTO = 100;
const LARGEST = 65_536;
const AT_ONCE = 10;

/** Names of exceptions and tasks that are told. */
const TOLD = 3;

/** How many results are failures. */
export const results: Topic = async (scene) => {
  const { host, deadline, config, session, told } = scene;
  if (!session.ok) return [];
  const conf = await told("conf");
  const { target } = session.value.read;
  const named = namedBackend(scene) ?? toldBackend(conf);
  const backend =
    named === null
      ? {
          kind: "redis" as const,
          located: { kind: "servers" as const, servers: [target] as const },
          url: scene.check.plan.broker.shown,
          from: "the broker, as no other is named",
        }
      : readBackend(named, settingsOf(config), target);
  const { url, from } = backend;
  if (backend.kind !== "redis") return [finding("failed-results", null, backend)];
  const connectMs = config["connect-timeout"].value;
  const found = await findServer(backend.located, {
    connect: host.connect,
    now: host.now,
    pause: host.pause,
    connectMs,
    leftMs: deadline.left,
    isTheWorkers: () => Promise.resolve(false),
  });
  const unusable = { kind: "unusable", isBrokers: named === null } as const;
  if (!found.ok) return [finding("failed-results", null, { url, from, ...unusable, failure: found.problem })];
  const { channel } = found.value;
  const send: Send = (commands) => channel.send(commands, deadline.atMost(connectMs));
  const counted = await count(scene, send, hasResultPrefix(conf) ? `*${RESULT_KEYS}` : RESULT_KEYS, unusable);
  channel.close();
  const begun = begunBy(await told("stats"));
  const facts = counted.kind === "counted" ? { ...counted, begun } : counted;
  return [finding("failed-results", null, { url, from, ...facts })];
};

/** By the option, or the variable: of a worker in sight, or ours. */
function namedBackend(scene: Scene): NamedBackend | null {
  const { value: given, origin } = scene.config["result-backend"];
  if (given !== null) return { text: given, from: label(origin) };
  for (const { process } of ownWorkers(scene)) {
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
  let unread = 0;
  const read = new Set<string>();
  const failed = new Set<string>();
  const scanned = await scan(
    send,
    { pattern, slice: SLICE },
    // The beginning alone: a result may be of any size, and what is copied keeps the server.
    (keys) => keys.map((key) => ["GETRANGE", key, 0, BEGINNING - 1]),
    (keys, replies) => {
      for (const [position, key] of keys.entries()) {
        const reply = replies[position];
        // Expired meanwhile, or no text; SCAN may give a key twice.
        if (reply?.ok !== true || typeof reply.value !== "string" || reply.value === "" || read.has(key))
          continue;
        read.add(key);
        const status = statusOf(reply.value);
        if (status === null) unread++;
        else if (status === "FAILURE") failed.add(key);
      }
    },
    () => host.now() < end && read.size < MOST,
  );
  if (scanned.failure !== null) return { ...unusable, failure: scanned.failure };
  if (scanned.refusal !== null) return { kind: "refused", detail: scanned.refusal };
  const failures = await lookInto(send, [...failed].slice(0, LOOKED_INTO));
  const newest = Math.max(...failures.map(({ doneS }) => doneS ?? -Infinity));
  const [keys] = size.value;
  const total = keys?.ok === true ? asNumber(keys.value) : 0;
  const most = config["max-failed"];
  return {
    kind: "counted",
    ...{ results: read.size, unread, failed: failed.size, limit: most.value },
    isUsual: most.origin.kind === "default",
    sample: scanned.isWhole ? null : { passed: Math.min(scanned.passed, total), keys: total },
    exceptions: frequent(failures.map(({ exception }) => exception)),
    tasks: frequent(failures.map(({ task }) => task)),
    newestS: Number.isFinite(newest) ? Math.max(0, host.epochSeconds() - newest) : null,
  };
}

async function lookInto(send: Send, keys: readonly string[]): Promise<readonly Failure[]> {
  if (keys.length === 0) return [];
  const sizes = await send(keys.map((key) => ["STRLEN", key]));
  const small = keys.filter((_, position) => {
    const reply = sizes.ok ? sizes.value[position] : undefined;
    return reply?.ok === true && asNumber(reply.value) <= LARGEST;
  });
  const found: Failure[] = [];
  for (let at = 0; at < small.length; at += AT_ONCE) {
    const sent = await send(small.slice(at, at + AT_ONCE).map((key) => ["GET", key]));
    for (const reply of sent.ok ? sent.value : []) {
      const failure = reply.ok && typeof reply.value === "string" ? readFailure(reply.value) : null;
      if (failure !== null) found.push(failure);
    }
  }
  return found;
}

/** The most frequent names, and how often each is there. */
function frequent(names: readonly (string | null)[]): readonly Frequent[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, TOLD);
}
