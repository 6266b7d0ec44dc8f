import { HEARD_WITHIN_MS } from "../celery/heartbeat.ts";
import type { Deadline } from "../deadline.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import { failure } from "../outcome.ts";
import { MOST } from "../pidbox/envelope.ts";
import { mayBeRead } from "../broker/failure.ts";
import { askOnce } from "../session/ask-once.ts";
import { listenToHeartbeats } from "../session/heartbeats.ts";
import { openSession } from "../session/session.ts";
import type { Scene } from "./scene.ts";

/** The share of the time left that observing may take. The questions need the rest. */
const OBSERVED_SHARE = 0.5;

/** In characters, for all answers together. `report` needs memory for a second copy without secrets. */
const ROOM = (MOST.total * 2) / 3;

/** Connects to the broker and begins to listen. `end` closes the connections. */
export async function setScene(
  config: Scene["config"],
  check: CheckReport,
  host: Host,
  deadline: Deadline,
): Promise<{ readonly scene: Scene; readonly end: () => void }> {
  const { asked, targets } = check.plan;
  const session = await sessionFor(check, host, deadline);
  const ear = session.ok ? listenToHeartbeats(session.value, host, deadline) : null;
  const heard: Scene["heard"] = () => ear?.heard ?? new Map();
  const answers = askOnce({
    session: session.ok ? session.value : null,
    timeoutMs: config.timeout.value,
    epochSeconds: host.epochSeconds,
    heard,
    hearing: session.ok ? host.pause(deadline.atMost(HEARD_WITHIN_MS)) : Promise.resolve(),
  });
  const scene: Scene = {
    ...answers,
    ...{ config, host, deadline, check, session, heard },
    isMeant: (node) => config.node.value.length === 0 || asked.kind === "any" || asked.nodes.includes(node),
    workers: targets.flatMap(({ node, worker }) => (worker === null ? [] : [{ node, process: worker }])),
    spans: () => ear?.spans ?? new Map(),
    observed: () => host.pause(Math.min(config.observe.value, deadline.left() * OBSERVED_SHARE)),
  };
  return {
    scene,
    end() {
      ear?.close();
      if (session.ok) session.value.close();
    },
  };
}

/** Opens no connection if the health check has seen that the broker cannot be read. */
async function sessionFor(
  { plan, evidence: { asking } }: CheckReport,
  host: Host,
  deadline: Deadline,
): Promise<Scene["session"]> {
  if (asking.kind === "broker-failed" && !mayBeRead(asking.failure)) return failure(asking.failure);
  return openSession(plan, host, deadline, { left: ROOM });
}
