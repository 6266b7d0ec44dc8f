import type { FleetView } from "../fleet/fleet-view.ts";
import type { HttpStream } from "../machine/parts.ts";
import type { Source } from "./source.ts";

/** How many clients can receive events at the same time. */
const MOST_STREAMS = 16;

/** Clients and proxies that receive nothing for long give up. In milliseconds. */
const COMMENT_EVERY_MS = 15_000;

/** The shortest time between two events. Views may come faster. In milliseconds. */
const SHORTEST_GAP_MS = 1_000;

const COMMENT = Buffer.from(": still here\n\n");

export interface Events {
  /** Sends events to this client from now on. Returns a function that stops this. */
  readonly add: (stream: HttpStream) => () => void;
  readonly isFull: () => boolean;
  readonly close: () => void;
}

/** What the events need from the machine. */
interface Clock {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Server-sent events: one view when a client connects, and one whenever a look has ended. A slow client gets only the
 * newest view.
 *
 * @param eventOf returns the whole event, including its empty line
 */
export function startEvents(
  source: Source,
  eventOf: (view: FleetView) => Uint8Array,
  { now, pause }: Clock,
): Events {
  const streams = new Set<HttpStream>();
  let toldMs = -Infinity;
  let isOpen = true;
  const tell = () => {
    if (streams.size === 0 || now() - toldMs < SHORTEST_GAP_MS) return;
    toldMs = now();
    const event = eventOf(source.view());
    for (const stream of streams) stream.send(event);
  };
  const unsubscribe = source.onView(tell);
  const comment = async () => {
    while (isOpen) {
      await pause(COMMENT_EVERY_MS);
      if (now() - toldMs < COMMENT_EVERY_MS) continue;
      // The comment would replace a waiting event, and that event would be lost.
      for (const stream of streams) if (!stream.isBehind()) stream.send(COMMENT);
    }
  };
  void comment();
  return {
    add(stream) {
      streams.add(stream);
      stream.send(eventOf(source.view()));
      return () => {
        streams.delete(stream);
      };
    },
    isFull: () => streams.size >= MOST_STREAMS,
    close() {
      isOpen = false;
      streams.clear();
      unsubscribe();
    },
  };
}
