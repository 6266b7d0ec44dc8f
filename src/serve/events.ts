import type { FleetView } from "../fleet/fleet-view.ts";
import type { HttpStream } from "../machine/parts.ts";
import type { Source } from "./source.ts";

/** So many clients are told at once. */
const MOST_STREAMS = 16;

/** Clients and proxies that hear nothing for long give up, in milliseconds. */
const COMMENT_EVERY_MS = 15_000;

/** Views may come faster, in milliseconds. */
const SHORTEST_GAP_MS = 1_000;

const COMMENT = Buffer.from(": still here\n\n");

export interface Events {
  /** Tells a client from now on; gives what ends it. */
  readonly add: (stream: HttpStream) => () => void;
  readonly isFull: () => boolean;
  readonly close: () => void;
}

/** What the events need of the machine. */
interface Clock {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Server-sent events: a view when a client comes, and one when a look has ended. A slow client gets the newest alone.
 *
 * @param eventOf the whole event, with its empty line
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
      // In place of an event that waits it would be lost.
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
