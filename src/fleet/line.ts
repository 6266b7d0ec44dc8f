import type { Listener } from "../broker/channel.ts";
import type { BrokerFailure } from "../broker/failure.ts";
import { workerEventTopics } from "../broker/keys.ts";
import { decodeWorkerEvent } from "../celery/heartbeat.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { SessionPlan } from "../session/plan.ts";
import { openSession, type Session } from "../session/session.ts";
import type { FleetState } from "./fleet-state.ts";
import { hear } from "./hear.ts";

/** How long we wait for an answer, in milliseconds. */
export const ANSWER_MS = 2_000;

/** This run has no end, but each wait has its own limit. */
export const ENDLESS: Deadline = { left: () => ANSWER_MS, atMost: (ms) => ms };

/** The connections of a collector: one asks, one listens. */
export interface Line {
  readonly session: Session;
  ear: Ear;
}

export interface Ear {
  /** null: it is not open yet, or the broker does not permit it. */
  listener: Listener | null;
  readonly openedMs: number;
  isOpening: boolean;
  isClosed: boolean;
}

/** Connects. Asks the Sentinels again each time. */
export async function openLine(
  plan: SessionPlan,
  state: FleetState,
  host: Host,
  listens: boolean,
): Promise<Outcome<Line, BrokerFailure>> {
  const opened = await openSession(plan, host, ENDLESS, null, "one-list");
  if (!opened.ok) return opened;
  const session = opened.value;
  return success({ session, ear: listens ? openEar(session, state, host) : noEar(host.now()) });
}

export function closeLine({ session, ear }: Line): void {
  closeEar(ear);
  session.close();
}

function noEar(openedMs: number): Ear {
  return { listener: null, openedMs, isOpening: false, isClosed: true };
}

/** Starts to listen. */
function openEar({ plan, write }: Session, state: FleetState, host: Host): Ear {
  const { target } = write;
  const ear: Ear = { listener: null, openedMs: host.now(), isOpening: true, isClosed: false };
  const take = (channel: string, text: string) => {
    if (ear.isClosed) return;
    const event = decodeWorkerEvent(channel, text);
    if (event !== null) hear(state, event, host.now(), host.epochSeconds());
  };
  const topics = workerEventTopics(target.db, plan.naming, plan.broker.bySentinels);
  void host.listen(target, take, topics, plan.connectTimeout).then((opened) => {
    ear.isOpening = false;
    if (!opened.ok) return;
    if (ear.isClosed) opened.value.close();
    else ear.listener = opened.value;
  });
  return ear;
}

function closeEar(ear: Ear): void {
  ear.isClosed = true;
  ear.listener?.close();
}

/** If nothing has been heard for this long, the listening connection is opened again. In milliseconds. */
const DEAF_MS = 15_000;

/** How rarely we try again after a refusal by the broker, or when the whole fleet has ended. In milliseconds. */
const RARELY_MS = 60_000;

/** Listens again if the connection has broken. The connection itself shows that, or missing heartbeats do. */
export function mendEar(line: Line, state: FleetState, host: Host): void {
  const { ear } = line;
  if (ear.isOpening || ear.isClosed) return;
  const now = host.now();
  const isBroken = ear.listener !== null && ear.listener.ends() === null;
  const unheardMs = now - Math.max(state.heardMs, ear.openedMs);
  // If opening it again has changed nothing, there is no worker to hear.
  const wasHeard = state.heardMs > ear.openedMs;
  const isDeaf = state.heardMs > -Infinity && unheardMs > (wasHeard ? DEAF_MS : RARELY_MS);
  const isRefused = ear.listener === null && now - ear.openedMs > RARELY_MS;
  if (!isBroken && !isDeaf && !isRefused) return;
  closeEar(ear);
  line.ear = openEar(line.session, state, host);
}
