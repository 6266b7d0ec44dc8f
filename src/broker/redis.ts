import { Redis, ReplyError } from "ioredis";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel, Command, Ends, Listener, Reply, Topics } from "../pidbox/channel.ts";
import { plainAddress } from "./client-list.ts";
import { type BrokerFailure, type Refused, refusedBy, type Unreachable, unreachableBy } from "./failure.ts";
import { hiding, masked } from "./masking.ts";
import type { BrokerTarget } from "./url.ts";
import { within } from "./within.ts";

/**
 * Opens one connection to the broker. The only file that knows ioredis: its exceptions end here as values.
 *
 * AUTH and SELECT are ours and ride in front of the first commands, in the same write: ioredis' own handshake
 * costs round trips and forgives a password that nobody asked for, which the worker's client does not.
 */
export async function connect(
  target: BrokerTarget,
  withinMs: number,
): Promise<Outcome<Channel, BrokerFailure>> {
  const client = unconnected(target);
  const ready = await within(withinMs, client.redis.connect());
  if (ready.kind === "done")
    return success(hidingSecret(target.password, channelOver(client, handshake(target))));
  client.redis.disconnect();
  if (ready.kind === "late") return failure(silence("connect-timeout", withinMs));
  return failure(asFailure(client.lastError() ?? ready.error));
}

/**
 * Opens a connection that hears what is published, and resolves when the broker has confirmed the subscription.
 *
 * @param hear gets each message with its channel, hundreds a second from a large fleet
 * @param withinMs for all of it: connecting, signing in, subscribing
 */
export async function listen(
  target: BrokerTarget,
  hear: (channel: string, text: string) => void,
  topics: Topics,
  withinMs: number,
): Promise<Outcome<Listener, BrokerFailure>> {
  const client = unconnected(target);
  const { redis } = client;
  redis.on("message", hear);
  redis.on("pmessage", (_pattern: string, channel: string, text: string) => {
    hear(channel, text);
  });
  let late: "connect-timeout" | "no-answer" = "connect-timeout";
  const subscribing = redis.connect().then(() => {
    late = "no-answer";
    return subscribe(client, handshake(target), topics);
  });
  const ended = await within(withinMs, subscribing);
  let problem: BrokerFailure;
  if (ended.kind === "late") problem = silence(late, withinMs);
  else if (ended.kind === "failed") problem = asFailure(client.lastError() ?? ended.error);
  else if (ended.value !== null) problem = ended.value;
  else
    return success({
      ends: () => endsOf(redis),
      close: () => {
        redis.disconnect();
      },
    });
  redis.disconnect();
  return failure(masked(problem, hiding(target.password)));
}

/** An ACL may allow the worker's own channels and no pattern, which it compares as text. */
async function subscribe(
  client: Client,
  greet: readonly Command[],
  { broad, exact }: Topics,
): Promise<BrokerFailure | null> {
  // In small letters: ioredis files subscriptions under the command's name as it stands.
  const patterns = await exchange(client, greet, [["psubscribe", ...broad]]);
  if (!patterns.ok) return patterns.problem;
  const refused = refusalOf("PSUBSCRIBE", patterns.value[0]);
  if (refused?.cause !== "no-permission" || exact.length === 0) return refused;
  const channels = await exchange(client, [], [["subscribe", ...exact]]);
  return channels.ok ? refusalOf("SUBSCRIBE", channels.value[0]) : channels.problem;
}

function refusalOf(command: string, reply: Reply | undefined): Refused | null {
  return reply?.ok ? null : refusedBy(command, reply?.error ?? "");
}

interface Client {
  readonly redis: Redis;
  /** What the socket or the parser has said last; what a command fails with says less. */
  readonly lastError: () => unknown;
}

function unconnected(target: BrokerTarget): Client {
  const redis = new Redis({
    host: target.host,
    port: target.port,
    // A probe connects once, asks once and ends; ioredis' defaults are a service's.
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // Resending would publish a second ping; queueing would hide that there is no connection.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    // INFO before the first command: a round trip, and more than a small ACL allows.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Nothing here needs RESP3, and HELLO is unknown to servers before Redis 6.
    protocol: 2,
    // One clock, ours: see `within`.
    connectTimeout: 0,
    keepAlive: 0,
  });
  let lastError: unknown = null;
  redis.on("error", (error: unknown) => {
    lastError = error;
  });
  return { redis, lastError: () => lastError };
}

function handshake(target: BrokerTarget): readonly Command[] {
  const commands: Command[] = [];
  const { username, password } = target;
  // As redis-py: a user without a password is sent with an empty one.
  if (username !== undefined) commands.push(["AUTH", username, password ?? ""]);
  else if (password !== undefined) commands.push(["AUTH", password]);
  if (target.db !== 0) commands.push(["SELECT", target.db]);
  return commands;
}

function channelOver(client: Client, greeting: readonly Command[]): Channel {
  let toGreet = greeting;
  return {
    async send(commands, withinMs) {
      const greet = toGreet;
      toGreet = [];
      const answered = await within(withinMs, exchange(client, greet, commands));
      if (answered.kind === "late") return failure(silence("no-answer", withinMs));
      return answered.kind === "failed" ? failure(asFailure(answered.error)) : answered.value;
    },
    ends: () => endsOf(client.redis),
    close() {
      client.redis.disconnect();
    },
  };
}

/** Sends all in one write; the replies are those to `commands`, as those to `greet` must be OK. */
async function exchange(
  { redis, lastError }: Client,
  greet: readonly Command[],
  commands: readonly Command[],
): Promise<Outcome<readonly Reply[], BrokerFailure>> {
  const sent = [...greet, ...commands];
  const pipeline = redis.pipeline(sent.map(([name, ...args]) => ["call", name, ...args]));
  const replies: Reply[] = [];
  for (const [error, value] of (await pipeline.exec()) ?? []) {
    if (error === null) replies.push({ ok: true, value });
    else if (error instanceof ReplyError) replies.push({ ok: false, error: error.message });
    else return failure(lastWords(sent, replies) ?? asFailure(lastError() ?? error));
  }
  for (const [position, [name]] of greet.entries()) {
    const reply = replies[position];
    if (reply === undefined || !reply.ok) return failure(refusedBy(name, reply?.error ?? ""));
    if (reply.value !== "OK") return failure(notRedis(String(reply.value)));
  }
  return success(replies.slice(greet.length));
}

function endsOf({ stream }: Redis): Ends | null {
  // A socket that is closed has forgotten its ends.
  const { localAddress, localPort, remoteAddress, remotePort } = stream;
  if (localAddress === undefined || localPort === undefined) return null;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return {
    local: { address: plainAddress(localAddress), port: localPort },
    remote: { address: plainAddress(remoteAddress), port: remotePort },
  };
}

function hidingSecret(secret: string | undefined, channel: Channel): Channel {
  const hide = hiding(secret);
  return {
    ...channel,
    async send(commands, withinMs) {
      const sent = await channel.send(commands, withinMs);
      if (!sent.ok) return failure(masked(sent.problem, hide));
      return success(sent.value.map((reply) => (reply.ok ? reply : { ok: false, error: hide(reply.error) })));
    },
  };
}

/** A server that hangs up may have said why: protected mode and a full house answer once and close. */
function lastWords(sent: readonly Command[], replies: readonly Reply[]): Refused | null {
  for (const [position, reply] of replies.entries()) {
    if (!reply.ok) return refusedBy(sent[position]?.[0] ?? "", reply.error);
  }
  return null;
}

function silence(cause: "connect-timeout" | "no-answer", ms: number): Unreachable {
  return { kind: "unreachable", cause, detail: `${Math.round(ms)} ms` };
}

function notRedis(detail: string): Refused {
  return { kind: "refused", cause: "not-redis", command: "", detail };
}

/**
 * An exception of ioredis or of the socket as a failure: sockets set a `code`, a connection closed by the other
 * side has ioredis' own message, and what is left is the parser, which met bytes that are no Redis protocol.
 */
function asFailure(error: unknown): BrokerFailure {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string") return unreachableBy(code);
  // ioredis asks that what it cannot read be reported to it.
  const text = String(message ?? error).replace(/\.? Please report this\.$/, "");
  if (/connection is closed|connection close|isn't writeable/i.test(text)) return unreachableBy("ECONNRESET");
  return notRedis(text);
}
