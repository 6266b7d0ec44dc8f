import type { FleetView } from "../../src/fleet/fleet-view.ts";
import type { HttpAnswer, HttpRequest } from "../../src/machine/parts.ts";
import { type Events, startEvents } from "../../src/serve/events.ts";
import type { OwnUsage } from "../../src/serve/metrics.ts";
import { eventOf, router } from "../../src/serve/router.ts";
import { fakeClock } from "../health/fake-clock.ts";

export const OWN: OwnUsage = {
  version: "0.1.0",
  startedS: 1_799_999_000.5,
  cpuS: 1.25,
  residentBytes: 60_000_000,
  openFiles: 30,
};

interface Way {
  readonly token?: string;
  readonly silentS?: number;
  readonly events?: Events;
}

/** What answers requests about a fleet. */
export function serving(
  view: FleetView,
  { token, silentS = 1, events }: Way = {},
): (request: HttpRequest) => HttpAnswer {
  const source = { view: () => view, onView: () => () => undefined };
  return router({
    view: source.view,
    silentS: () => silentS,
    own: () => OWN,
    version: OWN.version,
    events:
      events ??
      startEvents(source, eventOf(OWN.version), {
        ...fakeClock(0),
        pause: () => new Promise(() => undefined),
      }),
    token: token ?? null,
  });
}

/** What a GET gives: its status and its text. */
export function asked(
  answer: (request: HttpRequest) => HttpAnswer,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): { readonly status: number; readonly text: string; readonly headers: HttpAnswer["headers"] } {
  const given = answer({ method: "GET", target, headers });
  const { status, body } = given;
  const text = typeof body === "function" ? "a stream" : Buffer.from(body).toString("utf8");
  return { status, text, headers: given.headers };
}
