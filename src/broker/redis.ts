import { Redis, ReplyError } from "ioredis";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel, Command, Reply } from "../pidbox/channel.ts";
import { type BrokerFailure, type Refused, refusedBy, type Unreachable, unreachableBy } from "./failure.ts";
import type { BrokerTarget } from "./url.ts";

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
  const ready = await within(withinMs, redis.connect());
  if (ready.kind === "done")
    return success(
      hidingSecret(
        target.password,
        channelOver(redis, handshake(target), () => lastError),
      ),
    );
  redis.disconnect();
  if (ready.kind === "late") return failure(silence("connect-timeout", withinMs));
  return failure(asFailure(lastError ?? ready.error));
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

function channelOver(redis: Redis, greeting: readonly Command[], lastError: () => unknown): Channel {
  let toGreet = greeting;
  return {
    async send(commands, withinMs) {
      const greet = toGreet;
      toGreet = [];
      const sent = [...greet, ...commands];
      const pipeline = redis.pipeline(sent.map(([name, ...args]) => ["call", name, ...args]));
      const answered = await within(withinMs, pipeline.exec());
      if (answered.kind === "late") return failure(silence("no-answer", withinMs));
      if (answered.kind === "failed") return failure(asFailure(answered.error));
      const replies: Reply[] = [];
      for (const [error, value] of answered.value ?? []) {
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
    },
    close() {
      redis.disconnect();
    },
  };
}

/** A server, and what only poses as one, may repeat what it was sent: the password leaves this file in no failure. */
function hidingSecret(secret: string | undefined, channel: Channel): Channel {
  const hide = (text: string) => {
    // The code in front tells causes apart, and a password may be a part of it.
    const code = /^[A-Z]+ /.exec(text)?.[0] ?? "";
    const words = text.slice(code.length).replace(ECHO, "");
    return code + (secret === undefined || secret === "" ? words : words.replaceAll(secret, "***"));
  };
  return {
    close: () => {
      channel.close();
    },
    async send(commands, withinMs) {
      const sent = await channel.send(commands, withinMs);
      if (!sent.ok) return failure({ ...sent.problem, detail: hide(sent.problem.detail) });
      return success(sent.value.map((reply) => (reply.ok ? reply : { ok: false, error: hide(reply.error) })));
    },
  };
}

/** How Redis repeats the arguments of a command that it does not know, cut at 128 characters. */
const ECHO = /,? with args beginning with:.*$/s;

/** A server that hangs up may have said why: protected mode and a full house answer once and close. */
function lastWords(sent: readonly Command[], replies: readonly Reply[]): Refused | null {
  for (const [position, reply] of replies.entries()) {
    if (!reply.ok) return refusedBy(sent[position]?.[0] ?? "", reply.error);
  }
  return null;
}

type Ending<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "late" };

/** The promise's end, or `late` after `ms` milliseconds. */
function within<T>(ms: number, promise: Promise<T>): Promise<Ending<T>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ kind: "late" });
    }, ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve({ kind: "done", value });
      },
      (error: unknown) => {
        clearTimeout(timer);
        resolve({ kind: "failed", error });
      },
    );
  });
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
