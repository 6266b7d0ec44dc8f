import { type Room, startRoom } from "./envelope.ts";
import { type Answer, decodeReply, type Wanted } from "./message.ts";

/** Which replies are awaited. */
export interface Expected extends Pick<Wanted, "longest"> {
  readonly tickets: ReadonlySet<string>;
  /** Default: nothing else is kept beside them. */
  readonly room?: Room;
}

/** An element that has our ticket, not yet decoded. */
export interface Unread {
  readonly key: string;
  readonly element: string;
}

/** An answer, and where it stands. */
export interface Collected extends Answer {
  readonly key: string;
  /** The list's element. */
  readonly element: string;
}

/**
 * Characters decoded at one go, or one answer that has more; then the clock is looked at, and timers and signals get
 * their turn. Eight answers of 3 MB full of numbers, decoded at one go, took 15 s of a deadline of 5.
 */
const PORTION = 512 * 1024;

/** Decodes, portion by portion, what is read while somebody waits. */
export interface Decoding {
  /** Takes the first portion off the elements, and gives the answers in it. */
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
        // Whatever is longer is not decoded.
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
