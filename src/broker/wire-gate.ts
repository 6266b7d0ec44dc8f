import { BOUNDS } from "./bounds.ts";
import { cutMark, END_BYTES } from "./cut-text.ts";
import type { Refused } from "./failure.ts";
import {
  endElement,
  expectRepliesTo,
  mayBeCut,
  notRedis,
  overRoom,
  type Reading,
  type Sent,
  startReading,
  takeLine,
  tooLarge,
} from "./wire-reply.ts";

/** The bytes that go on to the parser, and what is wrong with the rest. */
export interface Passed {
  readonly pieces: readonly Uint8Array[];
  readonly problem: Refused | null;
}

/**
 * Stands between the socket and ioredis' parser, and lets through only what the parser can take: RESP2 within {@link
 * BOUNDS}, and one reply for each command. On a subscribed connection it lets whole messages through. ioredis trusts
 * all other input. It reserves memory for any announced length. At a reply that it did not expect, it throws from a
 * socket event, where nobody can catch the error (`DataHandler.dispatch`). Long texts of lists and messages are cut
 * (cut-text.ts).
 */
export interface WireGate {
  /** Call this before commands are sent. */
  readonly expect: (commands: Sent) => void;
  /** Checks the bytes that have arrived, in pieces of any size. Do not call it again after a problem. */
  readonly pass: (chunk: Uint8Array) => Passed;
}

/** A piece of the input on its way through the gate. */
interface Passage {
  readonly bytes: Buffer;
  /** How far it has been read. */
  at: number;
  readonly pieces: Uint8Array[];
  /** The first byte that has not been passed on. */
  from: number;
  /** The position where the current line begins; null: in an earlier chunk. */
  lineAt: number | null;
  /** The last whole reply: where it ends, and how much was passed on by then. */
  whole: { readonly at: number; readonly from: number; readonly pieces: number };
}

const CR = 13;
const LF = 10;

export function openWireGate(): WireGate {
  const reading = startReading();
  return {
    expect(commands) {
      expectRepliesTo(reading, commands);
    },
    pass: (chunk) => pass(reading, chunk),
  };
}

function pass(reading: Reading, chunk: Uint8Array): Passed {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const whole = { at: 0, from: 0, pieces: 0 };
  const passage: Passage = { bytes, at: 0, pieces: [], from: 0, lineAt: null, whole };
  while (passage.at < bytes.length) {
    const before = passage.at;
    let problem = readNext(reading, passage);
    reading.size += passage.at - before;
    problem ??= overRoom(reading, 0);
    if (problem !== null) return refuse(reading, passage, problem);
    if (reading.frame === null && reading.state === "type")
      passage.whole = { at: passage.at, from: passage.from, pieces: passage.pieces.length };
  }
  // The line of a text is passed on when it is whole and we know whether the text is cut.
  const isInLine = reading.state === "line" || reading.state === "line-end";
  const isWithheld = reading.type === "$" && mayBeCut(reading) && isInLine;
  passOn(passage, isWithheld ? (passage.lineAt ?? passage.from) : bytes.length, bytes.length);
  return { pieces: passage.pieces, problem: null };
}

/** Passes on only the replies that were whole before it. */
function refuse(reading: Reading, { bytes, pieces, whole }: Passage, problem: Refused): Passed {
  const passed = pieces.slice(0, whole.pieces);
  if (whole.at > whole.from) passed.push(bytes.subarray(whole.from, whole.at));
  const command = problem.command || (reading.expected[0]?.command ?? "");
  return { pieces: passed, problem: { ...problem, command } };
}

function passOn(passage: Passage, to: number, next: number): void {
  if (to > passage.from) passage.pieces.push(passage.bytes.subarray(passage.from, to));
  passage.from = next;
}

function readNext(reading: Reading, passage: Passage): Refused | null {
  switch (reading.state) {
    case "type":
      return readType(reading, passage);
    case "line":
      return readLine(reading, passage);
    case "line-end":
      return endLine(reading, passage);
    case "text":
      return readText(reading, passage);
    case "cut":
      return cutText(reading, passage);
    case "text-end":
      return endText(reading, passage);
    default:
      return reading.state satisfies never;
  }
}

function readType(reading: Reading, passage: Passage): Refused | null {
  passage.lineAt = passage.at;
  const type = String.fromCharCode(passage.bytes[passage.at++] ?? 0);
  reading.type = type;
  reading.line = "";
  reading.state = "line";
  return "+-:$*".includes(type) ? null : notRedis(`a reply begins with ${JSON.stringify(type)}`);
}

function readLine(reading: Reading, passage: Passage): Refused | null {
  const { bytes, at } = passage;
  const end = bytes.indexOf(CR, at);
  reading.line += bytes.toString("latin1", at, end === -1 ? bytes.length : end);
  passage.at = end === -1 ? bytes.length : end + 1;
  if (end !== -1) reading.state = "line-end";
  const { length } = reading.line;
  return length > BOUNDS.lineBytes ? tooLarge("a line", length, BOUNDS.lineBytes) : null;
}

function endLine(reading: Reading, passage: Passage): Refused | null {
  const isOfText = reading.type === "$" && mayBeCut(reading);
  const isEnd = passage.bytes[passage.at++] === LF;
  const problem = isEnd ? takeLine(reading) : notRedis("a line does not end as one");
  const { cutLeft, cutOf, line } = reading;
  if (!isOfText || (cutLeft === 0 && passage.lineAt !== null)) return problem;
  passOn(passage, passage.lineAt ?? passage.from, passage.at);
  const length = cutLeft === 0 ? line : 2 * END_BYTES + cutMark(cutOf).length;
  passage.pieces.push(Buffer.from(`$${length}\r\n`));
  return problem;
}

function readText(reading: Reading, passage: Passage): null {
  const { bytes, at } = passage;
  const taken = Math.min(reading.textLeft, bytes.length - at);
  if (reading.isHead && reading.frame !== null)
    reading.frame.head += bytes.toString("latin1", at, at + taken);
  passage.at += taken;
  reading.textLeft -= taken;
  if (reading.textLeft > 0) return null;
  const isCut = reading.cutLeft > 0;
  if (isCut) passOn(passage, passage.at, passage.at);
  reading.state = isCut ? "cut" : "text-end";
  reading.textLeft = 2;
  return null;
}

function cutText(reading: Reading, passage: Passage): null {
  const taken = Math.min(reading.cutLeft, passage.bytes.length - passage.at);
  reading.size -= taken;
  reading.cutLeft -= taken;
  passage.from = passage.at += taken;
  if (reading.cutLeft > 0) return null;
  passage.pieces.push(Buffer.from(cutMark(reading.cutOf)));
  reading.state = "text";
  reading.textLeft = END_BYTES;
  return null;
}

function endText(reading: Reading, passage: Passage): Refused | null {
  if (passage.bytes[passage.at++] !== (reading.textLeft === 2 ? CR : LF))
    return notRedis("a text does not end where it was announced to");
  reading.textLeft -= 1;
  return reading.textLeft === 0 ? endElement(reading) : null;
}
