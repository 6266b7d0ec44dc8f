import { asText } from "../../numbers.ts";
import { infoFields, infoFollowing, infoMemory, infoServer, infoUptimeS } from "../../broker/info.ts";
import { label } from "../../cli/usage.ts";
import { placeText } from "../../broker/url.ts";
import { movedName } from "../../discovery/moved-name.ts";
import type { CheckPlan } from "../../health/plan.ts";
import type { BrokerFacts } from "../facts/broker.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import type { Session } from "../../session/session.ts";
import type { Scene, Topic } from "../scene.ts";

/** The broker: whether it can be used, and whether it has enough memory. */
export const broker: Topic = async ({ check, session }) => {
  const named = namedBroker(check.plan);
  if (!session.ok) return [finding("broker", null, { ...named, failure: session.problem })];
  const { send, read } = session.value;
  const sent = await send([["INFO"]]);
  if (!sent.ok) return [finding("broker", null, { ...named, failure: sent.problem })];
  const [reply] = sent.value;
  const info = infoFields(reply?.ok ? asText(reply.value) : "");
  const facts = { ...named, follows: infoFollowing(info) };
  const { asking } = check.evidence;
  const found: Finding =
    // The broker may be readable but not writable.
    asking.kind === "broker-failed"
      ? finding("broker", null, { ...facts, failure: asking.failure })
      : finding("broker", read.shown, {
          ...facts,
          wasWell: true,
          server: infoServer(info),
          upS: infoUptimeS(info),
        });
  const memory = infoMemory(info);
  return memory === null ? [found] : [found, finding("broker-memory", null, memory)];
};

/** Asks the broker again after the observation. There is no finding if it still answers. */
export const brokerStill: Topic = async (scene) => {
  const { check, session, observed } = scene;
  if (!session.ok) return [];
  const moved = await movedFindings(scene, session.value);
  await observed();
  const sent = await session.value.send([["PING"]]);
  if (sent.ok) return moved;
  return [finding("broker", null, { ...namedBroker(check.plan), failure: sent.problem, wasWell: true })];
};

/** Only for a broker that was found by a worker's connection. */
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

function namedBroker({ broker: { shown, origin } }: CheckPlan): BrokerFacts["broker"] {
  const nothing = { failure: null, wasWell: false, server: null, upS: null, follows: null };
  return { url: shown, from: label(origin), ...nothing };
}
