import type { BrokerFailure } from "../broker/failure.ts";
import { failed } from "./broker-steps.ts";
import { closeLine, openLine } from "./line.ts";
import type { Work } from "./work.ts";

/** Connects if there is no connection. Returns whether there is one now. */
export async function connect(work: Work): Promise<boolean> {
  const { plan, state, host } = work;
  const opened = await openLine(plan, state, host, work.wishes.local?.isAlone !== true);
  if (!opened.ok) {
    failed(state, opened.problem, "line", host.now());
    work.first.isDone();
    return false;
  }
  if (work.isClosed) {
    closeLine(opened.value);
    return false;
  }
  if (state.broker.trouble !== null && state.rounds.done > 0) state.broker.reconnects++;
  work.line = opened.value;
  state.pingedMs = -Infinity;
  return true;
}

/** The connection can no longer be used. */
export function lose(work: Work, failure: BrokerFailure): void {
  const { state, host, line } = work;
  if (line !== null) closeLine(line);
  work.line = null;
  failed(state, failure, "line", host.now());
  work.first.isDone();
}

/**
 * The first attempt to reconnect comes after this time. Each further one comes later, up to the maximum. In
 * milliseconds.
 */
const FIRST_TRY_MS = 500;
const LAST_TRY_MS = 30_000;

/** Not at the same moment as other clients, which have lost the broker at the same moment. */
export function backOffMs(work: Work): number {
  const longest = Math.min(LAST_TRY_MS, FIRST_TRY_MS * 2 ** Math.min(work.tries++, 10));
  const drawn = Number.parseInt(work.host.uuid().slice(0, 8), 16) / 2 ** 32;
  return longest * (0.5 + (Number.isFinite(drawn) ? drawn : 0.5) / 2);
}
