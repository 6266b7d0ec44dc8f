import type { BrokerFailure } from "./failure.ts";
import type { Outcome } from "../outcome.ts";

/**
 * Commands that may be sent alone. The commands of transactions are missing, so that only {@link Channel.transact}
 * opens one. Commands of another asker in between would become a part of the transaction.
 */
export type CommandName =
  | "CLIENT"
  | "DBSIZE"
  | "DEL"
  | "EXPIRE"
  | "GET"
  | "GETRANGE"
  | "HDEL"
  | "HGET"
  | "HLEN"
  | "HMGET"
  | "HSET"
  | "HSTRLEN"
  | "INFO"
  | "LINDEX"
  | "LLEN"
  | "LRANGE"
  | "LREM"
  | "LTRIM"
  | "MEMORY"
  | "PING"
  | "PUBLISH"
  | "PUBSUB"
  | "ROLE"
  | "RPUSH"
  | "SCAN"
  | "SCARD"
  | "SELECT"
  | "SENTINEL"
  | "SISMEMBER"
  | "SMEMBERS"
  | "SSCAN"
  | "STRLEN"
  | "TIME"
  | "TTL"
  | "TYPE"
  | "ZCARD"
  | "ZCOUNT"
  | "ZRANGE";

/** A Redis command: its name in capitals, then its arguments. */
export type Command = readonly [name: CommandName, ...args: (string | number)[]];

/** What the server said to one command: a value, or the text of its error reply. */
export type Reply =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

/** A connection to the broker, as much of it as a mailbox needs. Never reconnects, never sends anything twice. */
export interface Channel {
  /**
   * Sends the commands in one write and gives the reply to each, in order; error replies are values here.
   * Fails when not all replies came within `withinMs` milliseconds; the connection is of no use after that.
   */
  send(commands: readonly Command[], withinMs: number): Promise<Outcome<readonly Reply[], BrokerFailure>>;
  /**
   * Runs one transaction, in two writes. Until its end nothing else is sent on this connection. If the server refuses
   * any part of it, no command is executed.
   *
   * @param before sent in front of MULTI, in the same write
   * @param queue sees the replies to `before` and gives the commands to execute, or a reason to stop
   * @param answerMs how long the server may take for its next answer, in milliseconds; asked for each write
   * @returns the results of what was queued
   */
  transact(
    before: readonly Command[],
    queue: (seen: readonly Reply[]) => Outcome<readonly Command[], BrokerFailure>,
    answerMs: () => number,
  ): Promise<Outcome<readonly unknown[], BrokerFailure>>;
  /** Why we were let in only after we had signed in as some clients would not; absent or null: as all do. */
  pardoned?(): BrokerFailure | null;
  /** All addresses of the host name that was connected to; absent or empty where it was an address. */
  addresses?(): readonly string[];
  /** Where the connection runs, as this machine sees it; `null` when it is gone. */
  ends(): Ends | null;
  /** Ends the connection at once. */
  close(): void;
}

/** Both ends of a connection; addresses are plain text, IPv4 without the `::ffff:` of a socket for both. */
export interface Ends {
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
}

/** What to hear: these patterns, or these channels if the broker permits only names. */
export interface Topics {
  readonly broad: readonly string[];
  readonly exact: readonly string[];
}

/** A connection that only hears. When it breaks, nothing more is heard; it never reconnects. */
export interface Listener {
  /** See {@link Channel.ends}. */
  ends(): Ends | null;
  /** Ends the connection at once. */
  close(): void;
}
