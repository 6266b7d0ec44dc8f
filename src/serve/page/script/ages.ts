import { element, set, write } from "./element.ts";
import { age } from "./words.ts";

/**
 * The clock of `serve`, continued by the viewer's clock. So an age is right even if the clock of the viewer's computer
 * is wrong.
 *
 * @param now milliseconds that never jump
 */
export function serverClock(now: () => number): {
  readonly nowMs: () => number;
  readonly set: (at: string) => void;
} {
  let aheadMs = 0;
  return {
    nowMs: () => now() + aheadMs,
    set(at) {
      aheadMs = Date.parse(at) - now();
    },
  };
}

/** The last time when ages were computed, by the clock of `serve`. */
let countedMs = 0;

/** An age that `countAges` keeps up to date. */
export function since(): { readonly root: HTMLTimeElement; readonly show: (at: string) => void } {
  const root = element("time", "age");
  return {
    root,
    show(at) {
      if (root.dateTime === at) return;
      root.dateTime = at;
      set(root, "title", moment(at));
      count(root);
    },
  };
}

/** Updates all ages of the page. */
export function countAges(nowMs: number): void {
  countedMs = nowMs;
  for (const time of document.querySelectorAll("time")) count(time);
}

function count(time: HTMLTimeElement): void {
  write(time, age((countedMs - Date.parse(time.dateTime)) / 1_000));
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const TIME_OF_DAY = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** Date and time in the viewer's time zone. */
const moment = (at: string) => MOMENT.format(Date.parse(at));

/** The time of day in the viewer's time zone, or the date if it is another day. */
export function timeOfDay(at: string, nowMs: number): string {
  const ms = Date.parse(at);
  return DAY.format(ms) === DAY.format(nowMs) ? TIME_OF_DAY.format(ms) : DAY.format(ms);
}
