import type { Fleet, Status, WorkersReport } from "./fleet.ts";
import { amount, are, count } from "./words.ts";

/** The state of the whole fleet in one sentence, and other news that needs a second one. */
export interface Headline {
  /** The worst known status; null: nothing is known yet. */
  readonly status: Status | null;
  readonly sentence: string;
  readonly detail: string;
  /** What to do about it. */
  readonly hint: string | null;
  /** When it began, if the page has no better place to show this. */
  readonly since: string | null;
  /** The start of the tab's title. */
  readonly title: string;
}

const NOTHING_MORE = { detail: "", hint: null, since: null } as const;

export function headline(fleet: Fleet | null): Headline {
  if (fleet === null) return waiting("Connecting to celery-probe …", "connecting");
  const { broker, rounds, workers, summary } = fleet.workers;
  if (!broker.up && broker.message === null) return waiting("Connecting to the broker …", "connecting");
  if (!broker.up) return brokerDown(fleet.workers);
  if (workers.length === 0 && rounds.done === 0) return waiting("Listening for workers …", "listening");
  const isUp = `The broker ${broker.url} is up.`;
  if (workers.length === 0)
    return {
      status: "unknown",
      sentence: "No worker is known",
      title: "no worker",
      detail: `${isUp} No worker has answered there.`,
      hint: "start a worker with this broker, or start celery-probe with the broker of your workers",
      since: null,
    };
  const old = rounds.stale
    ? "The last rounds brought no answers, so what is said of workers may be old."
    : "";
  const detail = [rest(summary), isUp, old].filter((sentence) => sentence !== "").join(" ");
  return { ...NOTHING_MORE, ...fleetState(summary, workers.length), detail };
}

const waiting = (sentence: string, title: string): Headline => ({
  ...NOTHING_MORE,
  status: null,
  sentence,
  title,
});

function brokerDown({ broker, workers }: WorkersReport): Headline {
  const unseen =
    workers.length === 0 ? "" : ` Until it is back, ${count(workers.length, "worker")} cannot be judged.`;
  return {
    status: "unhealthy",
    sentence: broker.since === null ? "The broker is unavailable" : "The broker has been unavailable",
    detail: `${broker.message ?? broker.url}.${unseen}`,
    hint: broker.hint,
    since: broker.since,
    title: "broker down",
  };
}

function fleetState(
  { healthy, unhealthy, unknown }: Readonly<Record<Status, number>>,
  total: number,
): Pick<Headline, "status" | "sentence" | "title"> {
  const all = total === 1 ? "The only worker" : `All ${amount(total)} workers`;
  const some = (number: number) =>
    number === total ? all : `${amount(number)} of ${count(total, "worker")}`;
  if (unhealthy > 0)
    return {
      status: "unhealthy",
      sentence: `${some(unhealthy)} ${are(unhealthy)} unhealthy`,
      title: `${unhealthy} unhealthy`,
    };
  if (unknown > 0)
    return {
      status: "unknown",
      sentence: `${some(unknown)} ${are(unknown)} unknown`,
      title: `${unknown} unknown`,
    };
  return { status: "healthy", sentence: `${all} ${are(healthy)} healthy`, title: `${healthy} healthy` };
}

/** What the sentence leaves out. */
function rest({ healthy, unhealthy, unknown }: Readonly<Record<Status, number>>): string {
  const parts = [
    ...(unhealthy > 0 && unknown > 0 ? [`${unknown} ${are(unknown)} unknown`] : []),
    ...(unhealthy + unknown > 0 && healthy > 0 ? [`${healthy} ${are(healthy)} healthy`] : []),
  ];
  return parts.length === 0 ? "" : `${parts.join(", ")}.`;
}
