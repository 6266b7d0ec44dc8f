import type { BrokerFailure } from "./failure.ts";
import type { Outcome } from "../outcome.ts";

/**
 * Commands that may be sent alone. The commands of transactions are missing, so that only {@link Channel.transact}
 * opens one. Another caller's commands in between would become a part of the transaction.
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

/** The server's reply to one command: a value, or the text of an error reply. */
export type Reply =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

/** A connection to the broker, with only what a mailbox needs. It never reconnects and never sends anything twice. */
export interface Channel {
  /**
   * Sends the commands in one write and returns the reply to each, in order. Error replies are values here. Fails if
   * not all replies come within `withinMs` milliseconds; after that the connection cannot be used.
   */
  send(commands: readonly Command[], withinMs: number): Promise<Outcome<readonly Reply[], BrokerFailure>>;
  /**
   * Runs one transaction, in two writes. Until it ends, nothing else is sent on this connection. If the server refuses
   * any part of it, no command is executed.
   *
   * @param before sent in front of MULTI, in the same write
   * @param queue gets the replies to `before`; returns the commands to execute, or a reason to stop
   * @param answerMs how long the server may take for its next answer, in milliseconds; called for each write
   * @returns the results of the queued commands
   */
  transact(
    before: readonly Command[],
    queue: (seen: readonly Reply[]) => Outcome<readonly Command[], BrokerFailure>,
    answerMs: () => number,
  ): Promise<Outcome<readonly unknown[], BrokerFailure>>;
  /**
   * What the server refused before it let us in. Not every client gets in this way. Absent or null: it refused nothing.
   */
  pardoned?(): BrokerFailure | null;
  /** All addresses of the host name in the URL; absent or empty if the URL has an address. */
  addresses?(): readonly string[];
  /** Both ends of the connection, as this machine sees them; `null`: it is gone. */
  ends(): Ends | null;
  /** Closes the connection at once. */
  close(): void;
}

/** Both ends of a connection. Addresses are plain text; IPv4 has no `::ffff:`, even if a socket is for both. */
export interface Ends {
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
}

/** What to subscribe to: these patterns, or these channels if the broker permits only names. */
export interface Topics {
  readonly broad: readonly string[];
  readonly exact: readonly string[];
}

/**
 * A connection that only receives published messages. After it breaks, it receives nothing more; it never reconnects.
 */
export interface Listener {
  /** See {@link Channel.ends}. */
  ends(): Ends | null;
  /** Closes the connection at once. */
  close(): void;
}
