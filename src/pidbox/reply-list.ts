import { BOUNDS } from "../broker/bounds.ts";
import type { Command, Reply } from "../broker/channel.ts";
import { bytesBeforeCut } from "../broker/cut-text.ts";
import type { BrokerFailure } from "../broker/failure.ts";
import { refusal } from "../broker/turns.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { MOST_SEEN, type Seen, startSeen, traceOf } from "./seen.ts";

/** Reads a reply list while answers arrive. Gives each new element once, in portions that fit into memory. */
export interface ReplyList {
  /** The next new elements. A long list comes in several portions. */
  readonly next: () => Promise<Outcome<readonly string[], BrokerFailure>>;
  /** Call this after removing elements that `next` had given, with their number. */
  readonly withdrawn: (count: number) => void;
}

/**
 * Elements read in the first look: one new reply and the known one before it. If that is not enough, the next look
 * reads four times as many.
 */
const FIRST_LOOK = 2;

/** The most elements read at once. */
const MOST_AT_ONCE = 2_048;

/** Characters of a portion, roughly. Several of the longest elements are not read just to find the others. */
const PORTION = 1024 * 1024;

type Send = (command: Command) => Promise<Outcome<readonly Reply[], BrokerFailure>>;

/** A list and how far it has been read. */
interface Reading {
  readonly key: string;
  readonly send: Send;
  readonly known: Seen;
  /** What a look over several portions has given so far, the newest first. */
  readonly given: Set<string>;
  /** How many elements stand before the ones not yet given, and the trace of the last of these. */
  from: number;
  last: string;
  /** Number of elements to read in the next look. */
  size: number;
}

/** The new elements among the ones that a look has read, and whether they are all. */
interface Sorted {
  readonly fresh: readonly string[];
  /** `large`: the last one is cut, but can be read whole. `cut`: the next portion begins with a cut element. */
  readonly state: "end" | "more" | "cut" | "large";
  /** How many of the elements have been processed. */
  readonly position: number;
}

/**
 * Workers push at the head, so everything before the first known element is new. Knowing only the newest element is not
 * enough. Its receiver may remove it while we wait, and then all known elements would count as new.
 *
 * @param head the first element when the list was prepared. All elements after it are known too
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
  // If the element before is unchanged, everything after it is still to be read.
  const start = Math.max(0, list.from - 1);
  const read = await range(list, start, list.from + list.size - 1);
  if (!read.ok) return read;
  const elements = read.value;
  if (list.from > 0 && (elements[0] === undefined || traceOf(elements[0]) !== list.last)) {
    // Other probes have removed their replies. Elements that stood after this position may now stand before it.
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
    // It came after others, so the next portion begins with it. A cut element at the front is a forgery.
    if (bytes !== null && bytes <= BOUNDS.elementBytes && position > 0)
      return { fresh, state: "cut", position };
    fresh.push(element);
    if (bytes !== null && bytes <= BOUNDS.singleElementBytes)
      return { fresh, state: "large", position: position + 1 };
  }
  return { fresh, state: elements.length < size ? "end" : "more", position: elements.length };
}

/** Everything before the first known element has been given. */
function end(list: Reading, fresh: readonly string[]): readonly string[] {
  list.known.add([...list.given, ...fresh.map(traceOf)]);
  list.given.clear();
  list.from = 0;
  list.size = FIRST_LOOK;
  return fresh;
}

/** The next portion begins after this element. */
function goOn(list: Reading, unread: readonly string[], { fresh, position }: Sorted, length: number): void {
  for (const element of fresh) list.given.add(traceOf(element));
  list.from += position;
  list.last = position === 0 ? list.last : traceOf(unread[position - 1] ?? "");
  const average = Math.max(1, length / Math.max(1, fresh.length));
  list.size = Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(PORTION / average)));
}

/** LREM needs the whole element to remove it from the list; null: other elements have come before it. */
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
