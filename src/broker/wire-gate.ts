import { BOUNDS, type Room, roomOf } from "./bounds.ts";
import { cutMark, END_BYTES } from "./cut-text.ts";
import { type Refused, refusedBy } from "./failure.ts";

/** What goes on to the parser, and what is wrong with the rest. */
export interface Passed {
  readonly pieces: readonly Uint8Array[];
  readonly problem: Refused | null;
}

/**
 * Stands between the socket and ioredis' parser and lets through what that can take: RESP2 within {@link BOUNDS}, one
 * reply for each command sent, and on a connection that is subscribed only whole messages. Anything else ioredis
 * believes: it reserves memory for a length that is only announced, and throws from a socket event, where nobody can
 * catch it, at a reply that it did not wait for (`DataHandler.dispatch`). Long texts of lists and messages are cut (cut-text.ts).
 */
export interface WireGate {
  /** To be told before commands are sent. */
  readonly expect: (names: readonly (readonly [name: string, ...args: unknown[]])[]) => void;
  /** Looks at what has arrived, in any pieces. After a problem nothing more may be shown to it. */
  readonly pass: (chunk: Uint8Array) => Passed;
}

/** One reply, as far as its form is needed. */
interface Frame {
  readonly type: string;
  /** Of the list's own elements, the first few: `$` a text, `_` none, else their type. */
  kinds: string;
  /** The first of the list's texts, where it is a short one. */
  head: string;
  /** Of a status or an error. */
  readonly text: string;
}

/** What is waited for: a reply, or the confirmation of so many subscriptions. */
interface Expected {
  /** In capitals. */
  readonly command: string;
  readonly subscribing: string | null;
  readonly room: Room;
  readonly write: Write;
  left: number;
}

/** What has come of the replies to one write, without what was cut. */
interface Write {
  bytes: number;
  elements: number;
}

/** What comes next: the character that says what follows, its line, a text that the line has announced, what is cut out of it. */
type State = "type" | "line" | "line-end" | "text" | "cut" | "text-end";

const CR = 13;
const LF = 10;

/** As long as the longest name that a list may begin with, `psubscribe`. */
const LONGEST_HEAD = 10;

/** One more than a message has. */
const KINDS = 5;

const SUBSCRIBING = /^p?subscribe$/;

/** Bytes of the lines in front of two elements. */
const LINES = 64;

export function openWireGate(): WireGate {
  const expected: Expected[] = [];
  let isSubscribed = false;
  /** Elements that are still to come, of each list that is open. */
  const open: number[] = [];
  let state: State = "type";
  let frame: Frame | null = null;
  let type = "";
  let line = "";
  /** Bytes of a text, or of its first end, that are still to come. */
  let textLeft = 0;
  /** Bytes that are to be cut out of it behind that. */
  let cutLeft = 0;
  /** How many the text has that is being cut. */
  let cutOf = 0;
  let isHead = false;
  /** Bytes of the reply that comes, without what was cut. */
  let size = 0;
  const unasked = { room: roomOf(null), write: { bytes: 0, elements: 0 } };
  /** Of the reply that comes. */
  let awaited: Pick<Expected, "room" | "write"> = unasked;

  function pass(chunk: Uint8Array): Passed {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const pieces: Uint8Array[] = [];
    /** From where on nothing has been passed on. */
    let from = 0;
    /** Where the line begins that is read; null: in a chunk before. */
    let lineAt: number | null = null;
    /** The last whole reply: where it ends, and what was passed on by then. */
    let whole = { at: 0, from: 0, pieces: 0 };
    const passOn = (to: number, next: number) => {
      if (to > from) pieces.push(bytes.subarray(from, to));
      from = next;
    };
    for (let at = 0; at < bytes.length;) {
      const before = at;
      let problem: Refused | null = null;
      switch (state) {
        case "type":
          lineAt = at;
          type = String.fromCharCode(bytes[at++] ?? 0);
          line = "";
          state = "line";
          if (!"+-:$*".includes(type)) problem = notRedis(`a reply begins with ${JSON.stringify(type)}`);
          break;
        case "line": {
          const end = bytes.indexOf(CR, at);
          line += bytes.toString("latin1", at, end === -1 ? bytes.length : end);
          at = end === -1 ? bytes.length : end + 1;
          if (end !== -1) state = "line-end";
          if (line.length > BOUNDS.lineBytes) problem = tooLarge("a line", line.length, BOUNDS.lineBytes);
          break;
        }
        case "line-end": {
          const isOfText = type === "$" && mayBeCut();
          problem = bytes[at++] === LF ? takeLine() : notRedis("a line does not end as one");
          if (!isOfText || (cutLeft === 0 && lineAt !== null)) break;
          passOn(lineAt ?? from, at);
          pieces.push(Buffer.from(`$${cutLeft === 0 ? line : 2 * END_BYTES + cutMark(cutOf).length}\r\n`));
          break;
        }
        case "text": {
          const taken = Math.min(textLeft, bytes.length - at);
          if (isHead && frame !== null) frame.head += bytes.toString("latin1", at, at + taken);
          at += taken;
          textLeft -= taken;
          if (textLeft > 0) break;
          if (cutLeft > 0) passOn(at, at);
          state = cutLeft > 0 ? "cut" : "text-end";
          textLeft = 2;
          break;
        }
        case "cut": {
          const taken = Math.min(cutLeft, bytes.length - at);
          size -= taken;
          cutLeft -= taken;
          from = at += taken;
          if (cutLeft > 0) break;
          pieces.push(Buffer.from(cutMark(cutOf)));
          state = "text";
          textLeft = END_BYTES;
          break;
        }
        case "text-end":
          if (bytes[at++] !== (textLeft === 2 ? CR : LF))
            problem = notRedis("a text does not end where it was announced to");
          else if (--textLeft === 0) problem = endElement();
          break;
        default:
          state satisfies never;
      }
      size += at - before;
      problem ??= overRoom(0);
      if (problem !== null) {
        const passed = pieces.slice(0, whole.pieces);
        if (whole.at > whole.from) passed.push(bytes.subarray(whole.from, whole.at));
        const command = problem.command || (expected[0]?.command ?? "");
        return { pieces: passed, problem: { ...problem, command } };
      }
      if (frame === null && isAtType()) whole = { at, from, pieces: pieces.length };
    }
    // What a text's line says is passed on when it is whole, and known whether the text is cut.
    const isWithheld = type === "$" && mayBeCut() && (state === "line" || state === "line-end");
    passOn(isWithheld ? (lineAt ?? from) : bytes.length, bytes.length);
    return { pieces, problem: null };
  }

  /** Whether texts of the reply that comes are cut where they are too long. */
  function mayBeCut(): boolean {
    return awaited.room.elementBytes !== null;
  }

  /** @param count bytes that are announced */
  function overRoom(count: number): Refused | null {
    const bytes = size + count;
    if (bytes > awaited.room.bytes) return tooLarge("a reply", bytes, awaited.room.bytes);
    const all = awaited.write.bytes + bytes;
    return all > BOUNDS.replyBytes ? tooLarge("replies to one write", all, BOUNDS.replyBytes) : null;
  }

  function isAtType(): boolean {
    return state === "type";
  }

  /** A line is there: all of an element, or how long it is. */
  function takeLine(): Refused | null {
    const isWhole = type === "+" || type === "-";
    if (!isWhole && !/^-?\d{1,19}$/.test(line)) return notRedis(`'${type}' is not followed by a number`);
    const count = Number(line);
    if ((type === "$" || type === "*") && count < -1) return notRedis(`'${type}' is followed by ${line}`);
    const isNone = (type === "$" || type === "*") && count === -1;
    if (open.length === 0) frame = { type, kinds: "", head: "", text: isWhole ? line : "" };
    else if (open.length === 1 && frame !== null && frame.kinds.length < KINDS)
      frame.kinds += isNone ? "_" : type;
    if (type === "$" && !isNone) {
      isHead = open.length === 1 && frame?.kinds === "$" && count <= LONGEST_HEAD;
      const most = awaited.room.elementBytes ?? Infinity;
      if (count > 2 * END_BYTES && Math.max(count, awaited.write.bytes + size - LINES) > most) {
        cutOf = count;
        cutLeft = count - 2 * END_BYTES;
        textLeft = END_BYTES;
        state = "text";
        return null;
      }
      const problem = overRoom(count);
      if (problem !== null) return problem;
      textLeft = count === 0 ? 2 : count;
      state = count === 0 ? "text-end" : "text";
      return null;
    }
    if (type === "*" && count > 0) {
      const elements = (awaited.write.elements += count);
      const most = Math.min(awaited.room.elements, BOUNDS.elements);
      if (elements > most) return tooMany(elements, most);
      if (open.push(count) > BOUNDS.nesting) return tooDeep();
      state = "type";
      return null;
    }
    return endElement();
  }

  /** An element is whole, and with it perhaps the lists that it is the last of. */
  function endElement(): Refused | null {
    state = "type";
    while (open.length > 0) {
      const left = (open.pop() ?? 0) - 1;
      if (left > 0) {
        open.push(left);
        return null;
      }
    }
    const reply = frame;
    frame = null;
    awaited.write.bytes += size;
    unasked.write.bytes = unasked.write.elements = size = 0;
    return reply === null ? null : take(reply);
  }

  function take(reply: Frame): Refused | null {
    if (isSubscribed && isMessage(reply)) return null;
    const [next] = expected;
    if (next === undefined) {
      // Protected mode and a server that is full say why they hang up before they are asked.
      return reply.type === "-"
        ? refusedBy("", reply.text)
        : notRedis("a reply came that nothing had asked for");
    }
    if (next.subscribing !== null && reply.type !== "-") {
      const { kinds, head } = reply;
      if (reply.type !== "*" || kinds !== "$$:" || head !== next.subscribing)
        return notRedis(`${next.subscribing} was not confirmed`);
      isSubscribed = true;
      next.left -= 1;
      if (next.left > 0) return null;
    }
    expected.shift();
    awaited = expected[0] ?? unasked;
    return null;
  }

  return {
    expect(commands) {
      const write: Write = { bytes: 0, elements: 0 };
      for (const [name, ...args] of commands) {
        const subscribing = SUBSCRIBING.test(name) ? name : null;
        const room = roomOf(subscribing === null ? name : null);
        expected.push({ command: name.toUpperCase(), subscribing, room, write, left: args.length });
      }
      awaited = expected[0] ?? unasked;
    },
    pass,
  };
}

function isMessage({ type, kinds, head }: Frame): boolean {
  return (
    type === "*" && ((kinds === "$$$" && head === "message") || (kinds === "$$$$" && head === "pmessage"))
  );
}

function notRedis(detail: string): Refused {
  return { kind: "refused", cause: "not-redis", command: "", detail };
}

function tooLarge(what: string, bytes: number, bound: number): Refused {
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
