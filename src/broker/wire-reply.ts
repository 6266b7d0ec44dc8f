import { BOUNDS, type Room, roomOf } from "./bounds.ts";
import { END_BYTES } from "./cut-text.ts";
import { type Refused, refusedBy } from "./failure.ts";

/** One reply, with only what we need of its form. */
interface Frame {
  readonly type: string;
  /** The types of the list's first few elements: `$` a text, `_` null, else the type character. */
  kinds: string;
  /** The first text of the list, if it is short. */
  head: string;
  /** The text of a status or an error. */
  readonly text: string;
}

/** What we wait for: a reply, or the confirmation of this many subscriptions. */
interface Expected {
  /** In capitals. */
  readonly command: string;
  readonly subscribing: string | null;
  readonly room: Room;
  readonly write: Write;
  left: number;
}

/** What has arrived of the replies to one write, without what was cut. */
interface Write {
  bytes: number;
  elements: number;
}

/**
 * What comes next: the type character, its line, the text that the line has announced, or the part to cut out of that
 * text.
 */
type State = "type" | "line" | "line-end" | "text" | "cut" | "text-end";

/** The replies of one connection: whether more are expected, and how far the current one has been read. */
export interface Reading {
  readonly expected: Expected[];
  isSubscribed: boolean;
  /** For each open list, how many elements are still to come. */
  readonly open: number[];
  state: State;
  frame: Frame | null;
  type: string;
  line: string;
  /** Bytes still to come of a text, or of its first end. */
  textLeft: number;
  /** Bytes to cut after that. */
  cutLeft: number;
  /** Length of the whole text that is being cut, in bytes. */
  cutOf: number;
  isHead: boolean;
  /** Bytes of the current reply, without what was cut. */
  size: number;
  readonly unasked: Pick<Expected, "room" | "write">;
  /** What we expect of the current reply. */
  awaited: Pick<Expected, "room" | "write">;
}

/** Commands as they are sent. */
export type Sent = readonly (readonly [name: string, ...args: unknown[]])[];

/** The length of `psubscribe`, the longest name that a list may begin with. */
const LONGEST_HEAD = 10;

/** One more element than a message has. */
const KINDS = 5;

const SUBSCRIBING = /^p?subscribe$/;

/** Bytes of the lines before two elements. */
const LINES = 64;

export function startReading(): Reading {
  const unasked = { room: roomOf(null), write: { bytes: 0, elements: 0 } };
  return {
    expected: [],
    isSubscribed: false,
    open: [],
    state: "type",
    frame: null,
    type: "",
    line: "",
    textLeft: 0,
    cutLeft: 0,
    cutOf: 0,
    isHead: false,
    size: 0,
    unasked,
    awaited: unasked,
  };
}

/** Adds the replies to these commands to the expected ones. */
export function expectRepliesTo(reading: Reading, commands: Sent): void {
  const write: Write = { bytes: 0, elements: 0 };
  for (const [name, ...args] of commands) {
    const subscribing = SUBSCRIBING.test(name) ? name : null;
    const room = roomOf(subscribing === null ? name : null);
    reading.expected.push({ command: name.toUpperCase(), subscribing, room, write, left: args.length });
  }
  reading.awaited = reading.expected[0] ?? reading.unasked;
}

/** Whether long texts of the current reply are cut. */
export function mayBeCut({ awaited }: Reading): boolean {
  return awaited.room.elementBytes !== null;
}

/** @param count announced bytes */
export function overRoom({ size, awaited }: Reading, count: number): Refused | null {
  const bytes = size + count;
  if (bytes > awaited.room.bytes) return tooLarge("a reply", bytes, awaited.room.bytes);
  const all = awaited.write.bytes + bytes;
  return all > BOUNDS.replyBytes ? tooLarge("replies to one write", all, BOUNDS.replyBytes) : null;
}

/** A line is complete. It is a whole element, or its length. */
export function takeLine(reading: Reading): Refused | null {
  const { type, line, open } = reading;
  const isWhole = type === "+" || type === "-";
  if (!isWhole && !/^-?\d{1,19}$/.test(line)) return notRedis(`'${type}' is not followed by a number`);
  const count = Number(line);
  if ((type === "$" || type === "*") && count < -1) return notRedis(`'${type}' is followed by ${line}`);
  const isNone = (type === "$" || type === "*") && count === -1;
  if (open.length === 0) reading.frame = { type, kinds: "", head: "", text: isWhole ? line : "" };
  else if (open.length === 1 && reading.frame !== null && reading.frame.kinds.length < KINDS)
    reading.frame.kinds += isNone ? "_" : type;
  if (type === "$" && !isNone) return beginText(reading, count);
  if (type === "*" && count > 0) return beginList(reading, count);
  return endElement(reading);
}

function beginText(reading: Reading, count: number): Refused | null {
  const { open, frame, awaited, size } = reading;
  reading.isHead = open.length === 1 && frame?.kinds === "$" && count <= LONGEST_HEAD;
  const most = awaited.room.elementBytes ?? Infinity;
  if (count > 2 * END_BYTES && Math.max(count, awaited.write.bytes + size - LINES) > most) {
    reading.cutOf = count;
    reading.cutLeft = count - 2 * END_BYTES;
    reading.textLeft = END_BYTES;
    reading.state = "text";
    return null;
  }
  const problem = overRoom(reading, count);
  if (problem !== null) return problem;
  reading.textLeft = count === 0 ? 2 : count;
  reading.state = count === 0 ? "text-end" : "text";
  return null;
}

function beginList(reading: Reading, count: number): Refused | null {
  const { open, awaited } = reading;
  const elements = (awaited.write.elements += count);
  const most = Math.min(awaited.room.elements, BOUNDS.elements);
  if (elements > most) return tooMany(elements, most);
  if (open.push(count) > BOUNDS.nesting) return tooDeep();
  reading.state = "type";
  return null;
}

/**
 * An element is complete. If it was the last one of its list, the list is complete too. The same holds for the list
 * around that one.
 */
export function endElement(reading: Reading): Refused | null {
  const { open, awaited, unasked } = reading;
  reading.state = "type";
  while (open.length > 0) {
    const left = (open.pop() ?? 0) - 1;
    if (left > 0) {
      open.push(left);
      return null;
    }
  }
  const reply = reading.frame;
  reading.frame = null;
  awaited.write.bytes += reading.size;
  unasked.write.bytes = unasked.write.elements = reading.size = 0;
  return reply === null ? null : take(reading, reply);
}

function take(reading: Reading, reply: Frame): Refused | null {
  if (reading.isSubscribed && isMessage(reply)) return null;
  const [next] = reading.expected;
  if (next === undefined) {
    // A server in protected mode, or with too many clients, says why it hangs up before we ask.
    return reply.type === "-"
      ? refusedBy("", reply.text)
      : notRedis("a reply came that nothing had asked for");
  }
  if (next.subscribing !== null && reply.type !== "-") {
    const { kinds, head } = reply;
    if (reply.type !== "*" || kinds !== "$$:" || head !== next.subscribing)
      return notRedis(`${next.subscribing} was not confirmed`);
    reading.isSubscribed = true;
    next.left -= 1;
    if (next.left > 0) return null;
  }
  reading.expected.shift();
  reading.awaited = reading.expected[0] ?? reading.unasked;
  return null;
}

function isMessage({ type, kinds, head }: Frame): boolean {
  return (
    type === "*" && ((kinds === "$$$" && head === "message") || (kinds === "$$$$" && head === "pmessage"))
  );
}

export function notRedis(detail: string): Refused {
  return { kind: "refused", cause: "not-redis", command: "", detail };
}

export function tooLarge(what: string, bytes: number, bound: number): Refused {
  return overBound(`${what} of ${bytes} bytes or more, and ${bound} are read`);
}

function tooMany(count: number, most: number): Refused {
  return overBound(`replies of ${count} elements or more, and ${most} are read`);
}

function tooDeep(): Refused {
  return overBound(`lists inside each other more than ${BOUNDS.nesting} times`);
}

function overBound(detail: string): Refused {
  return { kind: "refused", cause: "too-large", command: "", detail };
}
