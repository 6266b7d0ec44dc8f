import { type BrokerTarget, redact } from "../broker/url.ts";
import { type Backend, type NamedBackend, readBackend, toldBackend } from "../celery/result-backend.ts";
import { variablesOf } from "../celery/settings.ts";
import { label } from "../cli/usage.ts";
import { settingsOf } from "../discovery/broker-settings.ts";
import { wholeEnvironment } from "../worker/environment.ts";
import type { Scene } from "./scene.ts";

/** Celery reads this variable itself and uses it as the setting (celery/app/utils.py `Settings.result_backend`). */
const [VARIABLE = ""] = variablesOf("result_backend");

/** Where the results are; `isBrokers`: nothing names another server than the broker's. */
export async function resultBackend(
  scene: Scene,
  target: BrokerTarget,
): Promise<{ readonly backend: Backend; readonly isBrokers: boolean }> {
  const named = namedBackend(scene) ?? unmaskedBy(scene, toldBackend(await scene.told("conf")));
  const { config, check } = scene;
  if (named !== null) return { backend: readBackend(named, settingsOf(config), target), isBrokers: false };
  const located = { kind: "servers", servers: [target] } as const;
  const from = "the broker, as no other is named";
  return { backend: { kind: "redis", located, url: check.plan.broker.shown, from }, isBrokers: true };
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
