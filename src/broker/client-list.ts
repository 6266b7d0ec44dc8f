/** One connection as CLIENT LIST shows it. */
export interface ClientRow {
  readonly id: number;
  /** The client's end as the server sees it. It is empty for a unix socket. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /**
   * Whole seconds since the server last read from it or wrote a message to it. Redis takes both moments from a clock
   * that can be set. If that clock was set back since, the number is negative: then this is null. If it was set
   * forward, the number is too high.
   */
  readonly idleS: number | null;
  /** Whole seconds since it was opened, by the same clock. */
  readonly ageS: number | null;
  /** One letter each: `b` is a client that waits in a blocking command, `N` means no flag. */
  readonly flags: string;
  readonly db: number;
  /** Channels and patterns that it has subscribed to. */
  readonly subscriptions: number;
  /** How many of these are patterns. kombu subscribes only to patterns, result backends never do. */
  readonly patterns: number;
  /** The last command, in lower case. */
  readonly command: string;
}

/**
 * Reads the reply to CLIENT LIST of Redis 5 to 7 and Valkey; `null`: it is something else. Each server adds fields of
 * its own, so we read only the fields that all have (https://redis.io/docs/latest/commands/client-list/).
 */
export function parseClientList(reply: unknown): readonly ClientRow[] | null {
  if (typeof reply !== "string") return null;
  const rows: ClientRow[] = [];
  // The text is not split: if it is not a list, it could have millions of lines.
  for (let at = 0; at < reply.length;) {
    const next = reply.indexOf("\n", at);
    const end = next === -1 ? reply.length : next;
    const line = reply.slice(at, end).trim();
    at = end + 1;
    if (line === "") continue;
    const row = parseRow(line);
    if (row === null || rows.push(row) > MOST) return null;
  }
  // The list always contains the connection that requested it, so it is never empty.
  return rows.length === 0 ? null : rows;
}

/** Connections. Redis' own limit is 10,000. Each needs more than a kilobyte for a moment. */
const MOST = 20_000;

function parseRow(text: string): ClientRow | null {
  const line = ` ${text} `;
  const end = parseEnd(field(line, "addr"));
  const id = count(field(line, "id"));
  const idleS = span(field(line, "idle"));
  const ageS = span(field(line, "age"));
  const db = count(field(line, "db"));
  const channels = count(field(line, "sub"));
  const patterns = count(field(line, "psub"));
  const flags = field(line, "flags");
  const command = field(line, "cmd");
  if (end === null || id === null || idleS === undefined || ageS === undefined || db === null) return null;
  if (channels === null || patterns === null || flags === null || command === null) return null;
  return {
    id,
    ...end,
    idleS,
    ageS,
    flags,
    db,
    subscriptions: channels + patterns,
    patterns,
    command: command.toLowerCase(),
  };
}

/**
 * The value of ` name=value `. Ten thousand rows are read while a deadline runs. Searching for nine names costs a
 * fraction of splitting each row. No name and no value can hold a space, so the first match is the field.
 */
function field(line: string, name: string): string | null {
  const mark = ` ${name}=`;
  const start = line.indexOf(mark);
  if (start === -1) return null;
  return line.slice(start + mark.length, line.indexOf(" ", start + mark.length));
}

function count(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Null: a negative number; undefined: not a whole number. */
function span(text: string | null): number | null | undefined {
  if (text?.startsWith("-")) return count(text.slice(1)) === null ? undefined : null;
  return count(text) ?? undefined;
}

/**
 * Reads `10.0.0.7:41000` or `[::1]:41000`. A unix socket is written as `/run/redis.sock:0` in Redis and as
 * `[/run/redis.sock:0]:0` in Valkey 9. Its path may be relative. No other client has port 0.
 */
function parseEnd(text: string | null): { address: string; port: number } | null {
  if (text === null) return null;
  if (/^\[?\//.test(text)) return UNIX_SOCKET;
  const colon = text.lastIndexOf(":");
  const port = count(text.slice(colon + 1));
  if (colon === -1 || port === null) return null;
  if (port === 0) return UNIX_SOCKET;
  return { address: plainAddress(text.slice(0, colon).replace(/^\[(.*)\]$/, "$1")), port };
}

const UNIX_SOCKET = { address: "", port: 0 };

/** The usual form of an address: IPv4 mapped into IPv6 becomes plain IPv4, and the zone is removed (`fe80::1%eth0`). */
export function plainAddress(text: string): string {
  return text.replace(/%[^]*/, "").replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}
