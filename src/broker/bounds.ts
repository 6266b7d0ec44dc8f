/**
 * How much of a server's answer is read. A check runs every few seconds in containers of 256 MB and less. For a
 * moment a reply is in memory up to five times: as bytes, and twice as text, whose size one character can double.
 * With these bounds every command stays below 150 MB; the largest answers of real brokers are a tenth of them.
 */
export const BOUNDS = {
  /** Bytes of all replies to what is sent in one write. */
  replyBytes: 16 * 1_024 * 1_024,
  /**
   * Bytes of a list's element that is passed on as a whole, and of those in front of it in the same write. A caller
   * that needs the others asks again; see cut-text.ts.
   */
  elementBytes: 4 * 1_024 * 1_024,
  /** Bytes of one that is asked for alone, to be taken off its list: that needs three times as many in memory. */
  singleElementBytes: 8 * 1_024 * 1_024,
  /** Bytes of fields of a hash, all of a write together. A shared verdict has 150. */
  fieldBytes: 64 * 1_024,
  /** Bytes of CLIENT LIST: 20,000 connections, twice Redis' own limit. Of a longer one both ends are passed on. */
  clientListBytes: 8 * 1_024 * 1_024,
  /** Bytes of any text in a published message that is passed on as a whole. A heartbeat has 700. */
  messageBytes: 64 * 1_024,
  /** Elements of a list that is read: twice as many as are asked for at once, and a transaction's other replies. */
  texts: 4_096,
  /**
   * Elements of all replies to one write, nested ones included. SMEMBERS of the bindings of 10,000 workers has
   * 10,000.
   */
  elements: 250_000,
  /** Lists inside each other. ROLE has two, EXEC around LRANGE two. */
  nesting: 8,
  /** Bytes of a status or an error. Redis cuts what it quotes of a command to 128. */
  lineBytes: 64 * 1_024,
} as const;

/** What a command may be answered with. */
export interface Room {
  /** Bytes of the whole reply. */
  readonly bytes: number;
  /** Elements of it, nested ones included. */
  readonly elements: number;
  /** How long its texts may be, in bytes, that are passed on as a whole, all together; null: none is cut. */
  readonly elementBytes: number | null;
}

/** A number, a word, a few of them: what most commands are answered with. */
const SMALL: Room = { bytes: 64 * 1_024, elements: BOUNDS.elements, elementBytes: null };

const MEGABYTE: Room = { bytes: 1_024 * 1_024, elements: BOUNDS.elements, elementBytes: null };

/** Names and members, as many as there are. SMEMBERS of the bindings of 10,000 workers has 1 MB. */
const NAMES: Room = { bytes: 8 * 1_024 * 1_024, elements: BOUNDS.elements, elementBytes: null };

const ROOMS: Readonly<Partial<Record<string, Room>>> = {
  INFO: MEGABYTE,
  SENTINEL: MEGABYTE,
  // Their sizes were asked first.
  GET: MEGABYTE,
  HMGET: MEGABYTE,
  ZRANGE: MEGABYTE,
  SCAN: NAMES,
  SSCAN: NAMES,
  SMEMBERS: NAMES,
  CLIENT: ofTexts(BOUNDS.clientListBytes),
  LRANGE: ofTexts(BOUNDS.elementBytes),
  EXEC: ofTexts(BOUNDS.elementBytes),
  LINDEX: ofTexts(BOUNDS.singleElementBytes),
  HGET: ofTexts(BOUNDS.fieldBytes),
};

/** Texts that others have made, of which the long ones are cut. */
function ofTexts(elementBytes: number): Room {
  return { bytes: BOUNDS.replyBytes, elements: BOUNDS.texts, elementBytes };
}

/** Its pattern, its channel and its text may each be as long. */
const PUBLISHED: Room = { bytes: 4 * BOUNDS.messageBytes, elements: 8, elementBytes: BOUNDS.messageBytes };

/** @param command its name as it is sent; null: what is published, and comes unasked */
export function roomOf(command: string | null): Room {
  return command === null ? PUBLISHED : (ROOMS[command] ?? SMALL);
}
