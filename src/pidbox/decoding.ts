import { type Room, startRoom } from "./envelope.ts";
import { type Answer, decodeReply, type Wanted } from "./message.ts";

/** The replies that we expect. */
export interface Expected extends Pick<Wanted, "longest"> {
  readonly tickets: ReadonlySet<string>;
  /** Default: a new one, because no other answers are kept. */
  readonly room?: Room;
}

/** An element with our ticket, not yet decoded. */
export interface Unread {
  readonly key: string;
  readonly element: string;
}

/** An answer and its place. */
export interface Collected extends Answer {
  readonly key: string;
  /** The element of the list that holds it. */
  readonly element: string;
}

/**
 * Characters that are decoded in one go, or one longer answer. After each portion we look at the clock, and timers and
 * signals can run. Eight answers of 3 MB full of numbers, decoded in one go, took 15 s of a deadline of 5 s.
 */
const PORTION = 512 * 1024;

/** Decodes replies in portions while a caller waits. */
export interface Decoding {
  /** Takes the first portion of the elements away and returns its answers. */
  readonly next: (unread: Unread[]) => readonly Collected[];
}

export function startDecoding({ tickets, longest, room = startRoom() }: Expected): Decoding {
  return {
    next(unread) {
      const answers: Collected[] = [];
      let size = 0;
      let count = 0;
      for (const { key, element } of unread) {
        if (size >= PORTION) break;
        // Longer elements are not decoded.
        if (element.length <= Math.min(longest, room.left)) size += element.length;
        const answer = decodeReply(element, { tickets, longest, room });
        if (answer !== null) answers.push({ ...answer, key, element });
        count += 1;
      }
      unread.splice(0, count);
      return answers;
    },
  };
}
