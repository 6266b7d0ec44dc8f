import { BOUNDS } from "../broker/bounds.ts";
import type { Command, Reply } from "../broker/channel.ts";
import { bytesBeforeCut } from "../broker/cut-text.ts";
import type { BrokerFailure } from "../broker/failure.ts";
import { refusal } from "../broker/turns.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { MOST_SEEN, type Seen, startSeen, traceOf } from "./seen.ts";

/** Reads a reply list while answers arrive: each new element once, in portions that fit into memory. */
export interface ReplyList {
  /** The next of the elements that are new; a long list comes in several portions. */
  readonly next: () => Promise<Outcome<readonly string[], BrokerFailure>>;
  /** To be told how many elements have been taken off that `next` had given. */
  readonly withdrawn: (count: number) => void;
}

/** Elements read at a look: one new reply and the one known before it; four times as many where that is not enough. */
const FIRST_LOOK = 2;

/** Elements read at once. */
const MOST_AT_ONCE = 2_048;

/** Characters of a portion, about: several of the longest are not read to look for the rest. */
const PORTION = 1024 * 1024;

type Send = (command: Command) => Promise<Outcome<readonly Reply[], BrokerFailure>>;

/** A list, and how far it has been read. */
interface Reading {
  readonly key: string;
  readonly send: Send;
  readonly known: Seen;
  /** Of a look that takes several portions: what it has given, the newest first. */
  readonly given: Set<string>;
  /** How many elements stand in front of what it has not given, and the trace of the last of them. */
  from: number;
  last: string;
  /** Elements to read at the next look. */
  size: number;
}

/** What is new of the elements that a look has read, and whether that is all. */
interface Sorted {
  readonly fresh: readonly string[];
  /** `large`: the last one is cut and may be had as a whole. `cut`: the next portion begins with one that is cut. */
  readonly state: "end" | "more" | "cut" | "large";
  /** How many of the elements have been gone through. */
  readonly position: number;
}

/**
 * Workers push at the head, so everything in front of the first element known is new. The newest alone would not do:
 * its asker may take it away while we wait, and then everything seen would count as new.
 *
 * @param head the first element when the list was prepared; all behind it is known as well
 */
export function openReplyList(key: string, head: string, send: Send): ReplyList {
  const known = startSeen(traceOf(head));
  const list: Reading = { key, send, known, given: new Set(), from: 0, last: "", size: FIRST_LOOK };
  return {
    next: () => next(list),
    withdrawn(count) {
      list.from = Math.max(0, list.from - count);
    },
  };
}

async function next(list: Reading): Promise<Outcome<readonly string[], BrokerFailure>> {
  const { given } = list;
  // The last one shows that all behind it is what is still to be read.
  const start = Math.max(0, list.from - 1);
  const read = await range(list, start, list.from + list.size - 1);
  if (!read.ok) return read;
  const elements = read.value;
  if (list.from > 0 && (elements[0] === undefined || traceOf(elements[0]) !== list.last)) {
    // Others have taken theirs off: what was behind it may stand in front of this position by now.
    list.from = 0;
    return next(list);
  }
  const unread = elements.slice(list.from - start);
  const sorted = sortOut(list, unread);
  const { fresh, state } = sorted;
  const length = fresh.reduce((sum, element) => sum + element.length, 0);
  if (state === "end" || given.size + fresh.length > MOST_SEEN) return success(end(list, fresh));
  if (
    state === "more" &&
    list.from === 0 &&
    given.size === 0 &&
    list.size < MOST_AT_ONCE &&
    length < PORTION
  ) {
    list.size *= 4;
    return next(list);
  }
  goOn(list, unread, sorted, length);
  if (state !== "large") return success(fresh);
  const whole = await wholeOf(list, list.from - 1);
  return whole.ok ? success([...fresh.slice(0, -1), whole.value ?? fresh.at(-1) ?? ""]) : whole;
}

function sortOut({ known, given, size }: Reading, elements: readonly string[]): Sorted {
  const fresh: string[] = [];
  for (const [position, element] of elements.entries()) {
    const trace = traceOf(element);
    if (known.has(trace)) return { fresh, state: "end", position };
    if (given.has(trace)) continue;
    const bytes = bytesBeforeCut(element);
    // It stood behind others: the next portion begins with it. A cut element in front is a forgery.
    if (bytes !== null && bytes <= BOUNDS.elementBytes && position > 0)
      return { fresh, state: "cut", position };
    fresh.push(element);
    if (bytes !== null && bytes <= BOUNDS.singleElementBytes)
      return { fresh, state: "large", position: position + 1 };
  }
  return { fresh, state: elements.length < size ? "end" : "more", position: elements.length };
}

/** All in front of the first known is given. */
function end(list: Reading, fresh: readonly string[]): readonly string[] {
  list.known.add([...list.given, ...fresh.map(traceOf)]);
  list.given.clear();
  list.from = 0;
  list.size = FIRST_LOOK;
  return fresh;
}

/** The next portion begins behind this one. */
function goOn(list: Reading, unread: readonly string[], { fresh, position }: Sorted, length: number): void {
  for (const element of fresh) list.given.add(traceOf(element));
  list.from += position;
  list.last = position === 0 ? list.last : traceOf(unread[position - 1] ?? "");
  const average = Math.max(1, length / Math.max(1, fresh.length));
  list.size = Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(PORTION / average)));
}

/** To take it off the list, LREM needs all of it; null: others have come in front of it. */
async function wholeOf(
  { key, send, given }: Reading,
  position: number,
): Promise<Outcome<string | null, BrokerFailure>> {
  const read = await send(["LINDEX", key, position]);
  if (!read.ok) return read;
  const [reply] = read.value;
  const element = reply?.ok === true && typeof reply.value === "string" ? reply.value : "";
  return success(given.has(traceOf(element)) ? element : null);
}

async function range(
  { key, send }: Reading,
  start: number,
  stop: number,
): Promise<Outcome<readonly string[], BrokerFailure>> {
  const read = await send(["LRANGE", key, start, stop]);
  if (!read.ok) return read;
  const [reply] = read.value;
  if (!reply?.ok || !Array.isArray(reply.value)) return failure(refusal("LRANGE", reply));
  return success(reply.value.map(String));
}
