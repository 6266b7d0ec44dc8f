/**
 * Limits for how much of a server's answer is read. A check runs every few seconds in containers of 256 MB and less.
 * For a moment a reply is in memory up to five times: once as bytes, and twice as text. One wide character can double
 * the size of a text. With these limits every command stays below 150 MB. The largest answers of real brokers are a
 * tenth of them.
 */
export const BOUNDS = {
  /** Bytes of all replies to what is sent in one write. */
  replyBytes: 16 * 1_024 * 1_024,
  /**
   * Bytes of a list element that is passed on whole, and of the elements before it in the same write. A caller that
   * needs the others asks again; see cut-text.ts.
   */
  elementBytes: 4 * 1_024 * 1_024,
  /**
   * Bytes of an element that is requested alone so that it can be removed from its list. Removing needs three times as
   * much memory.
   */
  singleElementBytes: 8 * 1_024 * 1_024,
  /** Bytes of the hash fields in the replies to one write, all together. A shared verdict has 150. */
  fieldBytes: 64 * 1_024,
  /** Bytes of CLIENT LIST: 20,000 connections, twice Redis' own limit. Both ends of a longer list are passed on. */
  clientListBytes: 8 * 1_024 * 1_024,
  /** Bytes of a text in a published message that is passed on whole. A heartbeat has 700. */
  messageBytes: 64 * 1_024,
  /** Elements of a list that we read: twice as many as we request at once, plus the other replies of a transaction. */
  texts: 4_096,
  /**
   * Elements of all replies to one write, including nested ones. SMEMBERS of the bindings of 10,000 workers has 10,000.
   */
  elements: 250_000,
  /** Levels of lists inside lists. ROLE has two, EXEC around LRANGE two. */
  nesting: 8,
  /** Bytes of a status or an error. Redis cuts its quotes of a command to 128 bytes. */
  lineBytes: 64 * 1_024,
} as const;

/** The limits for the reply to a command. */
export interface Room {
  /** Bytes of the whole reply. */
  readonly bytes: number;
  /** Elements of the reply, including nested ones. */
  readonly elements: number;
  /** Bytes of all its texts that are passed on whole, together; null: no text is cut. */
  readonly elementBytes: number | null;
}

/** A number or a few words. Most commands are answered with this. */
const SMALL: Room = { bytes: 64 * 1_024, elements: BOUNDS.elements, elementBytes: null };

const MEGABYTE: Room = { bytes: 1_024 * 1_024, elements: BOUNDS.elements, elementBytes: null };

/** Any number of names and members. SMEMBERS of the bindings of 10,000 workers has 1 MB. */
const NAMES: Room = { bytes: 8 * 1_024 * 1_024, elements: BOUNDS.elements, elementBytes: null };

const ROOMS: Readonly<Partial<Record<string, Room>>> = {
  INFO: MEGABYTE,
  SENTINEL: MEGABYTE,
  // Callers ask for the sizes of these first.
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

/** Room for texts that other programs have made. Long ones are cut. */
function ofTexts(elementBytes: number): Room {
  return { bytes: BOUNDS.replyBytes, elements: BOUNDS.texts, elementBytes };
}

/** The pattern, the channel and the text may each have this length. */
const PUBLISHED: Room = { bytes: 4 * BOUNDS.messageBytes, elements: 8, elementBytes: BOUNDS.messageBytes };

/** @param command the name as it is sent; null: a published message, which comes without a request */
export function roomOf(command: string | null): Room {
  return command === null ? PUBLISHED : (ROOMS[command] ?? SMALL);
}
