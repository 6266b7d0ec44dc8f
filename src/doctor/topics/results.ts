import type { BrokerTarget } from "../../broker/url.ts";
import { hasResultPrefix } from "../../celery/result-backend.ts";
import { begunBy } from "../../celery/tasks.ts";
import { keptResults } from "../../session/kept-results.ts";
import { connectToResults } from "../../session/result-server.ts";
import type { ResultFacts } from "../facts/results.ts";
import { finding } from "../levels.ts";
import { resultBackend } from "../result-backend.ts";
import type { Scene, Topic } from "../scene.ts";

/** In milliseconds. Limits the time for reading results. */
const READ_MS = 1_500;

/** How many results are failures. */
export const results: Topic = async (scene) =>
  scene.session.ok
    ? [finding("failed-results", null, await resultFacts(scene, scene.session.value.read.target))]
    : [];

async function resultFacts(scene: Scene, target: BrokerTarget): Promise<ResultFacts["failed-results"]> {
  const { host, deadline, config } = scene;
  const { backend, isBrokers } = await resultBackend(scene, target);
  if (backend.kind !== "redis") return backend;
  const where = { url: backend.url, from: backend.from };
  const unusable = { ...where, kind: "unusable", isBrokers } as const;
  const connected = await connectToResults(backend.located, host, deadline, config["connect-timeout"].value);
  if (!connected.ok) return { ...unusable, failure: connected.problem };
  const { send, close } = connected.value;
  const kept = await keptResults(send, host, {
    hasPrefix: hasResultPrefix(await scene.told("conf")),
    forMs: Math.min(READ_MS, deadline.left() / 2),
  });
  close();
  if (!kept.ok) return { ...unusable, failure: kept.problem };
  if (typeof kept.value === "string") return { ...where, kind: "refused", detail: kept.value };
  const { value: limit, origin } = config["max-failed"];
  const begun = begunBy(await scene.told("stats"));
  return { ...where, kind: "counted", ...kept.value, begun, limit, isUsual: origin.kind === "default" };
}
