import { type BrokerTarget, redact } from "../../broker/url.ts";
import { findServer } from "../../broker/find-server.ts";
import { hasResultPrefix, type NamedBackend, readBackend, toldBackend } from "../../celery/result-backend.ts";
import { begunBy } from "../../celery/tasks.ts";
import { variablesOf } from "../../celery/settings.ts";
import { label } from "../../cli/usage.ts";
import { settingsOf } from "../../discovery/broker-settings.ts";
import { keptResults } from "../../session/kept-results.ts";
import { wholeEnvironment } from "../../worker/environment.ts";
import type { ResultFacts } from "../facts/results.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";

/** Celery reads this variable itself and uses it as the setting (celery/app/utils.py `Settings.result_backend`). */
const [VARIABLE = ""] = variablesOf("result_backend");

/** In milliseconds. Limits the time for reading results. */
const READ_MS = 1_500;

/** How many results are failures. */
export const results: Topic = async (scene) =>
  scene.session.ok
    ? [finding("failed-results", null, await resultFacts(scene, scene.session.value.read.target))]
    : [];

async function resultFacts(scene: Scene, target: BrokerTarget): Promise<ResultFacts["failed-results"]> {
  const { host, deadline, config, check } = scene;
  const conf = await scene.told("conf");
  const named = namedBackend(scene) ?? unmaskedBy(scene, toldBackend(conf));
  const brokers = {
    kind: "redis",
    located: { kind: "servers", servers: [target] },
    url: check.plan.broker.shown,
    from: "the broker, as no other is named",
  } as const;
  const backend = named === null ? brokers : readBackend(named, settingsOf(config), target);
  if (backend.kind !== "redis") return backend;
  const where = { url: backend.url, from: backend.from };
  const unusable = { ...where, kind: "unusable", isBrokers: named === null } as const;
  const connectMs = config["connect-timeout"].value;
  const isTheWorkers = () => Promise.resolve(false);
  const search = { ...host, connectMs, leftMs: deadline.left, isTheWorkers };
  const found = await findServer(backend.located, search);
  if (!found.ok) return { ...unusable, failure: found.problem };
  const { channel } = found.value;
  const kept = await keptResults((commands) => channel.send(commands, deadline.atMost(connectMs)), host, {
    hasPrefix: hasResultPrefix(conf),
    forMs: Math.min(READ_MS, deadline.left() / 2),
  });
  channel.close();
  if (!kept.ok) return { ...unusable, failure: kept.problem };
  if (typeof kept.value === "string") return { ...where, kind: "refused", detail: kept.value };
  const { value: limit, origin } = config["max-failed"];
  const begun = begunBy(await scene.told("stats"));
  return { ...where, kind: "counted", ...kept.value, begun, limit, isUsual: origin.kind === "default" };
}

/** Finds the URL that Celery masks: some variable of the worker may hold it without a mask. */
function unmaskedBy({ workers, host }: Scene, told: NamedBackend | null): NamedBackend | null {
  if (told === null || !/:\*+@/.test(told.text)) return told;
  const masked = redact(told.text);
  for (const { process } of workers) {
    const variables = wholeEnvironment(host.proc, process.pid) ?? [];
    const [name, text] = [...variables].find(([, value]) => redact(value) === masked) ?? [];
    if (text !== undefined) return { text, from: `${name} of process ${process.pid}` };
  }
  return told;
}

/** The backend that the option names, or else the variable of a worker in sight, or else our variable. */
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
