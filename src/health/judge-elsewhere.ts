import type { Connections } from "../worker/connections.ts";
import type { BrokerName, Evidence, NodeEvidence } from "./evidence.ts";
import { type Judgement, open, spanMs, undecided } from "./judgement.ts";
import { hasListened } from "./main-loop.ts";

/** If a server is younger, its workers may not have connected to it yet. In seconds. */
const SETTLED_S = 60;

/** By this time the old server has answered, if it answers at all. In milliseconds. */
const UNTIL_ASKED_MS = 3_000;

type None = Extract<Connections, { kind: "none" }>;

/**
 * Judges a worker that has no connection to the broker and is connected to another server.
 *
 * If the name of its own URL has moved, it stays connected to the old server, and a restart helps. But names may lead
 * to changing addresses of one service (round-robin, a load balancer, a headless service). Then a restart would not
 * help. So two conditions must hold before the name counts as moved. Nothing from the worker's address reaches the new
 * server. Nobody has connected to the old server since.
 */
export function judgeElsewhere(
  about: { readonly node: string; readonly pid: number },
  node: NodeEvidence,
  { elsewhere }: None,
  { brokerName, brokerUpS, masterForS }: Evidence,
): Judgement {
  const other = undecided({ kind: "elsewhere", ...about, endpoints: elsewhere, brokerName });
  if (brokerName === null || !leftBehind(brokerName, elsewhere)) return other;
  if (brokerName.old === "unasked" && spanMs(node.looks) < UNTIL_ASKED_MS) return open("second-look");
  if (brokerName.old !== "left") return other;
  const seen = node.looks.flatMap(({ connections }) => connections ?? []);
  // In the first look, our own connections or the connections of an ended probe may look like a worker's.
  const isSeenThere = seen.slice(-2).some((one) => one.kind !== "none" || one.isAddressListed);
  if (isSeenThere || masterForS !== null || brokerUpS === null || brokerUpS < SETTLED_S) return other;
  if (!hasListened(node)) return open("heartbeat");
  if (node.heartbeats.kind !== "listened" || node.heartbeats.own !== null) return other;
  const ageMs = node.looks.at(-1)?.process?.ageMs ?? 0;
  const from = elsewhere.filter(({ port }) => port === brokerName.port);
  return {
    status: "unhealthy",
    reason: "disconnected",
    ...about,
    ageMs,
    brokerUpS,
    moved: { from, to: brokerName.addresses },
  };
}

/**
 * Whether the name is the worker's own and leads to the same addresses each time, but not to one that the worker is
 * connected to.
 */
function leftBehind(
  { isWorkersOwn, changes, addresses, port }: BrokerName,
  elsewhere: None["elsewhere"],
): boolean {
  const old = elsewhere.filter((endpoint) => endpoint.port === port);
  return (
    isWorkersOwn && !changes && old.length > 0 && old.every(({ address }) => !addresses.includes(address))
  );
}
