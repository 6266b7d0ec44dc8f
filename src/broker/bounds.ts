/**
 * How much of a server's answer is read. A check runs every few seconds in containers of 256 MB and less, and what
 * arrives stands in memory twice for a moment, as bytes and as text. With these bounds a check stays below 150 MB; the
 * largest answers of real brokers are a tenth of them.
 */
export const BOUNDS = {
  /** Bytes of one text. CLIENT LIST of 10,000 connections, which is Redis' own limit, has 4 MB. */
  textBytes: 16 * 1_024 * 1_024,
  /** Bytes of one whole reply. */
  replyBytes: 32 * 1_024 * 1_024,
  /**
   * Bytes of a list's element that is passed on as a whole, and of those in front of it in the same reply. Whoever
   * needs the others asks again; see cut-text.ts.
   */
  elementBytes: 4 * 1_024 * 1_024,
  /** Bytes of one that is asked for alone, to be taken off its list: that needs three times as many in memory. */
  singleElementBytes: 8 * 1_024 * 1_024,
  /** Elements of one reply, with those of the lists in it. SMEMBERS of the bindings of 10,000 workers has 10,000. */
  elements: 250_000,
  /** Lists inside each other. ROLE has two, EXEC around LRANGE two. */
  nesting: 8,
  /** Bytes of a status or an error. Redis cuts what it quotes of a command to 128. */
  lineBytes: 64 * 1_024,
} as const;
