import type { BrokerFailure } from "../broker/failure.ts";
import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import { HEARD_WITHIN_MS } from "../celery/heartbeat.ts";
import { type Outcome, success } from "../outcome.ts";
import type { SessionPlan } from "../session/plan.ts";
import type { Session } from "../session/session.ts";
import { excuse, failed, returned } from "./broker-steps.ts";
import { startFleet } from "./fleet-state.ts";
import type { FleetView } from "./fleet-view.ts";
import { backOffMs, connect, lose } from "./connect.ts";
import { closeLine, type Line, mendEar } from "./line.ts";
import { checkSuspects, findLocals, lookAtConnections, startLocals, suspectsOf } from "./local.ts";
import { lookAtBroker, searchKeys } from "./look.ts";
import { askNewcomers, askQueuesAgain, askTasks, isAnybodyDue } from "./round.ts";
import { duePing, ping } from "./ping.ts";
import { settle } from "./settle.ts";
import { viewOf } from "./view-of.ts";
import type { FleetWishes, Work } from "./work.ts";

export type { FleetWishes } from "./work.ts";

/** Collects what can be known about a fleet, until it is closed. It never gives up on its broker. */
export interface Collector {
  /** The results of the last look. They are computed when this is called. */
  readonly view: () => FleetView;
  /** Calls the listener after each look. Returns a function that stops this. */
  readonly onView: (listener: () => void) => () => void;
  /** Resolves when all nodes have had time to be heard and to answer, or when the broker has failed. */
  readonly settled: () => Promise<void>;
  /** The conversation with the broker; null: the broker is away. */
  readonly session: () => Session | null;
  readonly close: () => void;
}

/**
 * Looks are at most this far apart, however rarely views are requested, so that a silent worker is noticed. In
 * milliseconds.
 */
const LOOK_WITHIN_MS = 5_000;

export function collect(plan: SessionPlan, place: Placement, host: Host, wishes: FleetWishes): Collector {
  const { promise: done, resolve: isDone } = Promise.withResolvers<undefined>();
  const work: Work = {
    plan,
    place,
    host,
    wishes,
    state: startFleet(wishes.nodes, wishes.queues, host.now()),
    listeners: new Set(),
    locals: startLocals(),
    line: null,
    round: null,
    roundMs: -Infinity,
    searchedMs: -Infinity,
    searchAgainMs: 0,
    looks: 0,
    tries: 0,
    view: null,
    isClosed: false,
    first: {
      done,
      isDone() {
        isDone(undefined);
      },
    },
  };
  void run(work);
  return {
    view: () => viewNow(work),
    onView(listener) {
      work.listeners.add(listener);
      return () => work.listeners.delete(listener);
    },
    settled: () => work.first.done,
    session: () => work.line?.session ?? null,
    close() {
      work.isClosed = true;
      if (work.line !== null) closeLine(work.line);
    },
  };
}

async function run(work: Work): Promise<void> {
  const { host, wishes } = work;
  for (;;) {
    lookAround(work);
    const waitMs = await look(work);
    if (isOver(work)) return;
    endLook(work);
    await host.pause(waitMs ?? Math.min(wishes.lookEveryMs, LOOK_WITHIN_MS));
    if (isOver(work)) return;
  }
}

/** Whether it has been closed meanwhile. */
function isOver({ isClosed }: Work): boolean {
  return isClosed;
}

/** Looks at the processes in sight, even while the broker is away. Checks the silent ones in the background. */
function lookAround(work: Work): void {
  const { place, state, host, wishes, locals } = work;
  const isAlone = wishes.local?.isAlone === true;
  // A sidecar may start before its worker.
  if (place.kind !== "in-sight" && !isAlone) return;
  findLocals(locals, state, host, isAlone);
  if (wishes.local === undefined || locals.checking !== null) return;
  // If only these workers are watched, their connections are looked at first.
  if (isAlone && work.line !== null && state.rounds.done === 0) return;
  const suspects = suspectsOf(locals, state, host, wishes.roundEveryMs);
  if (suspects.length === 0) return;
  locals.checking = checkSuspects(suspects, wishes.local.check, locals, state, host).finally(() => {
    locals.checking = null;
  });
}

/** Connects or looks. Returns after how many milliseconds to try again; null: after the usual time. */
async function look(work: Work): Promise<number | null> {
  const { host, state, wishes } = work;
  // If our process was stopped, or the machine slept, we heard nobody in the meantime.
  const asleepMs = host.now() - state.lookedMs - LOOK_WITHIN_MS - work.plan.connectTimeout * 2;
  if (work.line !== null && asleepMs > LOOK_WITHIN_MS) excuse(state, state.lookedMs, host.now());
  if (work.line === null && !(await connect(work))) return backOffMs(work);
  const { line } = work;
  if (line === null) return null;
  mendEar(line, state, host);
  const looked = await lookAtBroker(line.session, state, host, work.looks++);
  if (work.line !== line) return 0;
  if (!looked.ok) {
    lose(work, looked.problem);
    return backOffMs(work);
  }
  work.tries = 0;
  const nowMs = host.now();
  const isAlone = wishes.local?.isAlone === true;
  const isPingDue = !isAlone && duePing(state, wishes, nowMs) !== null;
  const isWhole = isPingDue || nowMs - work.roundMs >= wishes.roundEveryMs;
  // A round that asks nobody would not show that the broker takes questions again: the next ping does.
  const isRefused = !isAlone && !isPingDue && state.broker.trouble?.by === "question";
  if (work.round === null && !isRefused && (isWhole || isAnybodyDue(state, wishes, nowMs))) {
    work.round = round(work, line, isWhole).finally(() => {
      work.round = null;
    });
  }
  return null;
}

/**
 * Keys are searched at each round. For each slice of keys that a search reads, the next search waits this much longer,
 * up to the maximum. In milliseconds.
 */
const SEARCH_AFTER_SLICE_MS = 1_000;
const SEARCH_WITHIN_MS = 300_000;

/**
 * One round: asks the questions that are due, one after the other.
 *
 * @param isWhole whether it counts as a round. Between two rounds only new nodes and working nodes are asked
 */
async function round(work: Work, line: Line, isWhole: boolean): Promise<void> {
  const { state, host } = work;
  const startMs = host.now();
  const isFirst = state.rounds.done === 0;
  if (isWhole) work.roundMs = startMs;
  const asked = await askWhatIsDue(work, line, isWhole);
  // A node that sends heartbeats but hears no ping is heard within this time.
  if (asked.ok && isFirst) {
    await host.pause(Math.max(0, startMs + HEARD_WITHIN_MS - host.now()));
    if (work.line === line) await askWhatIsDue(work, line, isWhole);
  }
  if (work.line !== line) return;
  if (isWhole || !asked.ok) noteRound(work, asked, startMs);
  if (asked.ok) {
    // The answers of this round came after the outage.
    returned(state, ["question"], startMs);
    if (isFirst && (await lookAtBroker(line.session, state, host, work.looks)).ok) endLook(work);
  } else if (asked.problem.kind === "refused") failed(state, asked.problem, "question", host.now());
  else lose(work, asked.problem);
  work.first.isDone();
}

async function askWhatIsDue(
  work: Work,
  { session }: Line,
  isWhole: boolean,
): Promise<Outcome<void, BrokerFailure>> {
  const { state, host, wishes } = work;
  if (wishes.local?.isAlone === true) {
    await lookAtConnections(session, work.locals, state, host);
    return askNewcomers(session, state, host);
  }
  const whom = duePing(state, wishes, host.now());
  const pinged = whom === null ? null : await ping(session, state, host, whom, wishes.graceMs);
  if (pinged?.ok === false) return pinged;
  const newcomers = await askNewcomers(session, state, host);
  if (!newcomers.ok) return newcomers;
  const queues = await askQueuesAgain(session, state, host, wishes, isWhole);
  if (!queues.ok) return queues;
  const tasks = await askTasks(session, state, host, wishes);
  const sinceMs = host.now() - work.searchedMs;
  if (!tasks.ok || !isWhole || sinceMs < Math.max(wishes.roundEveryMs / 2, work.searchAgainMs)) return tasks;
  work.searchedMs = host.now();
  const searched = await searchKeys(session, state);
  if (!searched.ok) return searched;
  work.searchAgainMs = Math.min(SEARCH_WITHIN_MS, searched.value * SEARCH_AFTER_SLICE_MS);
  return success(undefined);
}

function noteRound({ state, host }: Work, asked: Outcome<void, BrokerFailure>, startMs: number): void {
  const { rounds } = state;
  if (asked.ok) {
    rounds.done++;
    rounds.failedInARow = 0;
  } else {
    rounds.failed++;
    rounds.failedInARow++;
  }
  rounds.lastEndedMs = host.now();
  rounds.lastTookMs = host.now() - startMs;
}

/** A view is ready. */
function endLook(work: Work): void {
  settle(work.state, work.wishes.graceMs, work.host.now());
  work.view = null;
  for (const listener of work.listeners) listener();
}

/**
 * A view stays valid this long if no look has ended meanwhile. After that its ages must be counted again. In
 * milliseconds.
 */
const VIEW_MS = 1_000;

/** The view is computed only on request. */
function viewNow(work: Work): FleetView {
  const { state, plan, host, wishes } = work;
  const nowMs = host.now();
  if (work.view !== null && nowMs - work.view.atMs < VIEW_MS) return work.view.made;
  const moment = { shown: plan.broker.shown, graceMs: wishes.graceMs, nowMs, epochS: host.epochSeconds() };
  work.view = { made: viewOf(state, moment), atMs: nowMs };
  return work.view.made;
}
