import { asText } from "../../numbers.ts";
import { type Following, infoFields, infoFollowing, infoNumber, infoServer } from "../../broker/info.ts";
import type { BrokerFailure } from "../../broker/failure.ts";
import { label } from "../../cli/usage.ts";
import { placeText } from "../../broker/url.ts";
import { movedName } from "../../discovery/moved-name.ts";
import type { CheckPlan } from "../../health/plan.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import type { Session } from "../../session/session.ts";
import type { Scene, Topic } from "../scene.ts";

/** The broker: which, whether it can be used, whether it has room. */
export const broker: Topic = async ({ check, session }) => {
  const { plan } = check;
  if (!session.ok) return [unusable(plan, session.problem, false)];
  const { send, read } = session.value;
  const sent = await send([["INFO"]]);
  if (!sent.ok) return [unusable(plan, sent.problem, false)];
  const [reply] = sent.value;
  const info = infoFields(reply?.ok ? asText(reply.value) : "");
  const version = infoServer(info);
  const follows = infoFollowing(info);
  const { asking } = check.evidence;
  const found: Finding[] = [
    // It may be read, and not be written to.
    asking.kind === "broker-failed"
      ? unusable(plan, asking.failure, false, follows)
      : finding("broker", read.shown, {
          ...namedBroker(plan),
          failure: null,
          wasWell: true,
          server: version,
          upS: uptimeIn(info),
          follows,
        }),
  ];
  const used = infoNumber(info, "used_memory");
  if (used === null) return found;
  const limit = infoNumber(info, "maxmemory") || null;
  const policy = info.get("maxmemory_policy")?.match(POLICY)?.[0] ?? null;
  const evicted = infoNumber(info, "evicted_keys") ?? 0;
  return [...found, finding("broker-memory", null, { used, limit, policy, evicted })];
};

/** In seconds; null where it does not say, or its clock was set back. */
function uptimeIn(info: Parameters<typeof infoNumber>[0]): number | null {
  const upS = infoNumber(info, "uptime_in_seconds");
  return upS === null || upS < 0 ? null : upS;
}

/** Whether it still answers when the run has been observing for a while; nothing where it does. */
export const brokerStill: Topic = async (scene) => {
  const { check, session, observed } = scene;
  if (!session.ok) return [];
  const moved = await movedFindings(scene, session.value);
  await observed();
  const sent = await session.value.send([["PING"]]);
  return sent.ok ? moved : [unusable(check.plan, sent.problem, true)];
};

/** Where the worker's connections alone have shown the broker. */
async function movedFindings(
  { check, workers, host, observed, config }: Scene,
  { read }: Session,
): Promise<readonly Finding[]> {
  if (check.plan.broker.origin.kind !== "connection" || read.target.place.kind !== "tcp") return [];
  const { place } = read.target;
  const withinMs = config["connect-timeout"].value;
  const found = await Promise.all(
    workers.map(async ({ node, process }) => {
      const moved = await movedName(process.pid, place, host, observed, withinMs);
      return moved === null ? [] : [finding("broker-name", node, { ...moved, broker: placeText(place) })];
    }),
  );
  return found.flat();
}

function unusable(
  plan: CheckPlan,
  failure: BrokerFailure,
  wasWell: boolean,
  follows: Following | null = null,
): Finding {
  return finding("broker", null, {
    ...namedBroker(plan),
    failure,
    wasWell,
    server: null,
    upS: null,
    follows,
  });
}

function namedBroker({ broker: { shown, origin } }: CheckPlan): {
  readonly url: string;
  readonly from: string;
} {
  return { url: shown, from: label(origin) };
}

/** https://redis.io/docs/latest/develop/reference/eviction/ */
const POLICY = /^(?:noeviction|(?:allkeys|volatile)-(?:lru|lfu|lrm|random|ttl))$/;
