import type { Fleet } from "./fleet.ts";

/** The state of the page's connection to `serve`. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly sinceMs: number; readonly againMs: number };

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/**
 * A stream that has been silent for this long is opened again. No error shows that a laptop slept, or that a proxy
 * forgot the connection. Every new stream begins with the newest fleet, so this costs one event.
 */
const LONGEST_SILENCE_MS = 45_000;

/** The page's end of `/events`. */
export interface Stream {
  readonly link: () => Link;
  /** Call this every second. */
  readonly tick: () => void;
}

/**
 * Listens to `events` for ever. The browser's own reconnecting is not used, because it gives up after a single 502 from
 * a proxy.
 *
 * @param now milliseconds that never jump
 */
export function openStream(now: () => number, onFleet: (fleet: Fleet) => void, onLink: () => void): Stream {
  let source: EventSource | null = null;
  let link: Link = { kind: "connecting" };
  let heardMs = now();
  let waitMs = FIRST_WAIT_MS;

  function open(): void {
    source?.close();
    heardMs = now();
    const opened = new EventSource("events");
    source = opened;
    opened.addEventListener("fleet", ({ data }: MessageEvent<string>) => {
      if (source !== opened) return;
      const fleet = JSON.parse(data) as Fleet;
      heardMs = now();
      waitMs = FIRST_WAIT_MS;
      link = { kind: "live" };
      onFleet(fleet);
    });
    opened.addEventListener("error", () => {
      if (source === opened) lose();
    });
  }

  function lose(): void {
    source?.close();
    source = null;
    link = {
      kind: "lost",
      sinceMs: link.kind === "lost" ? link.sinceMs : now(),
      againMs: now() + waitMs,
    };
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    onLink();
  }

  open();
  return {
    link: () => link,
    tick() {
      if (source === null) {
        if (link.kind === "lost" && now() >= link.againMs) open();
      } else if (now() - heardMs > LONGEST_SILENCE_MS) {
        lose();
      }
    },
  };
}
