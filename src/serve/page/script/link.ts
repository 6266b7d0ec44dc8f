import { part, set, write } from "./element.ts";
import type { Fleet } from "./fleet.ts";
import type { Link } from "./stream.ts";
import { age } from "./words.ts";

/** If a stream is open again within this time, the page does not report the gap. */
const PATIENCE_MS = 2_000;

/** Whether the page still receives data from celery-probe, and how old that data is. */
export function linkPart(): (link: Link, fleet: Fleet | null, serverNowMs: number, nowMs: number) => void {
  let wasLost = false;
  return (link, fleet, serverNowMs, nowMs) => {
    const isLost = link.kind === "lost" && nowMs - link.sinceMs >= PATIENCE_MS;
    const seconds = fleet === null ? null : (serverNowMs - Date.parse(fleet.workers.at)) / 1_000;
    const old = seconds === null ? "" : `data of ${age(seconds)} ago`;
    const again = link.kind === "lost" ? Math.max(0, Math.ceil((link.againMs - nowMs) / 1_000)) : 0;
    const next = again === 0 ? "trying again now …" : `trying again in ${again} s`;
    set(part("live"), "class", isLost ? "lost" : link.kind);
    write(part("live"), isLost ? "not connected" : link.kind === "live" ? "live" : "connecting …");
    part("lost").hidden = !isLost;
    if (isLost) {
      const lost = fleet === null ? "No connection to celery-probe" : "Connection to celery-probe lost";
      write(part("lost-words"), [lost, old, next].filter((words) => words !== "").join(" · "));
    }
    if (isLost !== wasLost)
      write(
        part("link-news"),
        isLost ? "Connection to celery-probe lost." : "Connected to celery-probe again.",
      );
    wasLost = isLost;
  };
}
