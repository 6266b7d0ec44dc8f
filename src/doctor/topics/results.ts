import { variablesOf } from "../../celery/settings.ts";
import type { BrokerFailure } from "../../broker/failure.ts";
import { findServer } from "../../broker/find-server.ts";
import { label } from "../../cli/usage.ts";
import { settingsOf } from "../../discovery/broker-settings.ts";
import { ownWorkers } from "../consumption.ts";
import type { FailedResults } from "../facts/results.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import { BEGINNING, counted, type Failure, readFailure, statusOf } from "../judge-results.ts";
import { type Backend, hasResultPrefix, readBackend, toldBackend } from "../result-backend.ts";
import { scan, type Send } from "../scan.ts";
import type { Scene, Topic } from "../scene.ts";

/** Keys of Celery's results (celery/backends/base.py `task_keyprefix`). */
const RESULTS = "celery-task-meta-*";

/** Celery itself reads it, and gives it to the setting (celery/app/utils.py `Settings.result_backend`). */
const [VARIABLE = ""] = variablesOf("result_backend");

/** Keys looked at by one SCAN, and with it results by one write; see docs/doctor.md for what that costs the server. */
const SLICE = 200;

/** Results are read for so many milliseconds at most, and this share of what is left. */
const READ_MS = 3_000;
const READ_SHARE = 0.3;

/** Results that are read at most. */
const MOST = 200_000;

/** Failures that are looked into, and the size of a result, in bytes, that is not read. */
const LOOKED_INTO = 100;
const LARGEST = 65_536;
const AT_ONCE = 10;

/** Names of exceptions and tasks that are told. */
const TOLD = 3;

/** Who names the backend where nobody does. */
const BY_DEFAULT = "the broker, as no other is named";

/** How many results are failures. */
export const results: Topic = async (scene) => {
  if (!scene.session.ok) return [];
  const conf = await scene.told("conf");
  const backend = backendOf(scene, conf);
  if (backend.kind !== "redis") return [finding("failed-results", null, backend)];
  const { url, from } = backend;
  const { host, deadline, config } = scene;
  const connectMs = config["connect-timeout"].value;
  const found = await findServer(backend.located, {
    connect: host.connect,
    now: host.now,
    pause: host.pause,
    connectMs,
    leftMs: deadline.left,
    isTheWorkers: () => Promise.resolve(false),
  });
  if (!found.ok) {
    return [unusable({ url, from }, found.problem)];
  }
  const { channel } = found.value;
  const send: Send = (commands) => channel.send(commands, deadline.atMost(connectMs));
  const pattern = hasResultPrefix(conf) ? `*${RESULTS}` : RESULTS;
  const result = await count(scene, send, pattern, { url, from });
  channel.close();
  return [result];
};

function backendOf(scene: Scene, conf: ReadonlyMap<string, unknown>): Backend {
  const { config, host, check, session } = scene;
  const { value: given, origin } = config["result-backend"];
  const told = toldBackend(conf);
  const inSight = ownWorkers(scene).find(({ process }) => process.environment?.[VARIABLE])?.process;
  const its = inSight?.environment?.[VARIABLE];
  const ours = host.env[VARIABLE];
  const named =
    given !== null
      ? { text: given, from: label(origin) }
      : inSight !== undefined && its
        ? { text: its, from: `${VARIABLE} of process ${inSight.pid}` }
        : ours
          ? { text: ours, from: VARIABLE }
          : told;
  if (named === "none") return { kind: "none-kept", from: "the workers' settings" };
  if (named !== null && session.ok) {
    return readBackend(named, settingsOf(config), session.value.read.target);
  }
  const { located, shown } = check.plan.broker;
  const servers = session.ok ? ({ kind: "servers", servers: [session.value.read.target] } as const) : located;
  return { kind: "redis", located: servers, url: shown, from: BY_DEFAULT };
}

/** The broker's own troubles are said of the broker. */
function unusable(named: { readonly url: string; readonly from: string }, failure: BrokerFailure): Finding {
  const isBrokers = named.from === BY_DEFAULT;
  return finding("failed-results", null, { kind: "unusable", ...named, failure, isBrokers });
}

async function count(
  { host, deadline, config }: Scene,
  send: Send,
  pattern: string,
  named: { readonly url: string; readonly from: string },
): Promise<Finding> {
  const size = await send([["DBSIZE"]]);
  if (!size.ok) {
    return unusable(named, size.problem);
  }
  const [keys] = size.value;
  const end = host.now() + Math.min(READ_MS, deadline.left() * READ_SHARE);
  let [read, unread] = [0, 0];
  const failed = new Set<string>();
  const scanned = await scan(
    send,
    { pattern, slice: SLICE },
    // The beginning alone: a result may be of any size, and what is copied keeps the server.
    (some) => some.map((key) => ["GETRANGE", key, 0, BEGINNING - 1]),
    (some, replies) => {
      for (const [position, key] of some.entries()) {
        const reply = replies[position];
        // Expired meanwhile, or no text.
        if (reply?.ok !== true || typeof reply.value !== "string" || reply.value === "") continue;
        read++;
        const status = statusOf(reply.value);
        if (status === null) unread++;
        else if (status === "FAILURE") failed.add(key);
      }
    },
    () => host.now() < end && read < MOST,
  );
  if (scanned.failure !== null) return unusable(named, scanned.failure);
  if (scanned.refusal !== null) {
    return finding("failed-results", null, {
      kind: "refused",
      ...named,
      refusal: scanned.refusal,
    });
  }
  const failures = await lookInto(send, [...failed].slice(0, LOOKED_INTO));
  const [newest] = failures
    .flatMap(({ exception, doneS }) => (doneS === null ? [] : [{ exception, doneS }]))
    .sort((a, b) => b.doneS - a.doneS);
  const limit = config["max-failed"].value;
  const total = keys?.ok === true ? Number(keys.value) : 0;
  const facts: FailedResults = {
    kind: "counted",
    ...named,
    results: read,
    unread,
    failed: failed.size,
    limit,
    sample: scanned.isWhole ? null : { passed: Math.min(scanned.passed, total), keys: total },
    exceptions: counted(
      failures.map(({ exception }) => exception),
      TOLD,
    ),
    tasks: counted(
      failures.map(({ task }) => task),
      TOLD,
    ),
    newest:
      newest === undefined
        ? null
        : { exception: newest.exception, ageS: Math.max(0, host.epochSeconds() - newest.doneS) },
  };
  return finding("failed-results", null, facts);
}

async function lookInto(send: Send, keys: readonly string[]): Promise<readonly Failure[]> {
  if (keys.length === 0) return [];
  const sizes = await send(keys.map((key) => ["STRLEN", key]));
  if (!sizes.ok) return [];
  const small = keys.filter((_, position) => {
    const reply = sizes.value[position];
    return reply?.ok === true && Number(reply.value) <= LARGEST;
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
