import { Redis, ReplyError } from "ioredis";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel, Ends, Listener, Reply, Topics } from "./channel.ts";
import { plainAddress } from "./client-list.ts";
import {
  type BrokerFailure,
  connectTimeout,
  noAnswer,
  type Refused,
  refusedBy,
  unreachableBy,
} from "./failure.ts";
import { hiding, masked } from "./masking.ts";
import { type Pardon, signInAnd } from "./sign-in.ts";
import { type Exchange, takeTurns, type WireCommand } from "./turns.ts";
import type { BrokerTarget } from "./url.ts";
import { openWireGate, type WireGate } from "./wire-gate.ts";
import { within } from "./within.ts";

/** Opens one connection to a server. Only this file knows ioredis: its exceptions become values here. */
export async function connect(
  target: BrokerTarget,
  withinMs: number,
  machine: Machine,
): Promise<Outcome<Channel, BrokerFailure>> {
  const client = await unconnected(target, machine.env);
  if (!client.ok) return client;
  const ended = await open(client.value, target, withinMs, machine.now);
  return ended.ok ? success(channelOver(client.value, target, machine.now)) : ended;
}

/** Waits until the connection is open, or says why it is not. A connection that is no longer wanted is closed then. */
async function open(
  { redis, lastError, isReached }: Client,
  target: BrokerTarget,
  withinMs: number,
  now: () => number,
): Promise<Outcome<void, BrokerFailure>> {
  const end = now() + withinMs;
  // A server without TLS does not answer the handshake. Some time is kept to find that out.
  const otherWayMs = target.tls === null ? 0 : Math.min(OTHER_WAY_MS, withinMs / 4);
  const ready = await within(withinMs - otherWayMs, redis.connect());
  if (ready.kind === "done") return success(undefined);
  const wasReached = isReached();
  redis.disconnect();
  const problem =
    ready.kind === "failed"
      ? asFailure(lastError() ?? ready.error)
      : (wasReached ? noAnswer : connectTimeout)(withinMs);
  const mayBePlain =
    ready.kind === "late" ? wasReached : ["connection-lost", "no-tls", "tls-failed"].includes(problem.cause);
  if (target.tls === null || !mayBePlain) return failure(problem);
  const { speaksPlain } = await import("./other-way.ts");
  const isPlain = await speaksPlain(target.place, Math.min(OTHER_WAY_MS, end - now()));
  return failure(
    isPlain ? { kind: "unreachable", cause: "no-tls", detail: "it answers a PING without TLS" } : problem,
  );
}

/** How long a server that did not understand us may take when we ask it in another way, in milliseconds. */
const OTHER_WAY_MS = 300;

/** If a server hangs up at our first words, or answers in another protocol, it may speak only TLS. */
async function forWantOfTls(
  problem: BrokerFailure,
  { place }: BrokerTarget,
  withinMs: number,
): Promise<BrokerFailure> {
  if (!["connection-lost", "not-redis"].includes(problem.cause) || withinMs <= 0) return problem;
  const { speaksTls } = await import("./other-way.ts");
  return (await speaksTls(place, withinMs))
    ? { kind: "unreachable", cause: "only-tls", detail: problem.detail }
    : problem;
}

/**
 * Opens a connection that receives published messages. Resolves when the broker has confirmed the subscription.
 *
 * @param hear gets each message with its channel, hundreds a second from a large fleet
 * @param withinMs for everything: connecting, signing in, subscribing
 */
export async function listen(
  target: BrokerTarget,
  hear: (channel: string, text: string) => void,
  topics: Topics,
  withinMs: number,
  machine: Machine,
): Promise<Outcome<Listener, BrokerFailure>> {
  const made = await unconnected(target, machine.env);
  if (!made.ok) return made;
  const client = made.value;
  const { redis } = client;
  redis.on("message", hear);
  redis.on("pmessage", (_pattern: string, channel: string, text: string) => {
    hear(channel, text);
  });
  let late = connectTimeout;
  const subscribing = redis.connect().then(() => {
    late = noAnswer;
    return subscribe(client, target, topics);
  });
  const ended = await within(withinMs, subscribing);
  let problem: BrokerFailure;
  if (ended.kind === "late") problem = late(withinMs);
  else if (ended.kind === "failed") problem = asFailure(client.lastError() ?? ended.error);
  else if (ended.value !== null) problem = ended.value;
  else
    return success({
      ends: () => endsOf(redis, target),
      close: () => {
        redis.disconnect();
      },
    });
  redis.disconnect();
  return failure(masked(problem, hiding(target.password)));
}

/** An ACL may allow the worker's own channels but no pattern. It compares patterns as text. */
async function subscribe(
  client: Client,
  target: BrokerTarget,
  { broad, exact }: Topics,
): Promise<BrokerFailure | null> {
  // In lower case: ioredis keeps subscriptions under the command's name as it is written.
  const send = (commands: readonly WireCommand[]) => exchange(client, commands);
  const patterns = await signInAnd(send, target, [["psubscribe", ...broad]], client.pardon);
  if (!patterns.ok) return patterns.problem;
  const refused = refusalOf("PSUBSCRIBE", patterns.value[0]);
  if (refused?.cause !== "no-permission" || exact.length === 0) return refused;
  const channels = await send([["subscribe", ...exact]]);
  return channels.ok ? refusalOf("SUBSCRIBE", channels.value[0]) : channels.problem;
}

function refusalOf(command: string, reply: Reply | undefined): Refused | null {
  return reply?.ok ? null : refusedBy(command, reply?.error ?? "");
}

/** What a connection needs from the machine: the places of its certificate authorities, and a clock in milliseconds. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

interface Client {
  readonly redis: Redis;
  /** Whether the server has accepted the connection, before any TLS. */
  readonly isReached: () => boolean;
  /** The last error of the socket or the parser. A command's own error says less. */
  readonly lastError: () => unknown;
  /** Announces the expected replies; see {@link WireGate}. */
  readonly expect: WireGate["expect"];
  /** The addresses that the host name resolved to. */
  readonly addresses: readonly string[];
  readonly pardon: Pardon;
}

async function unconnected(
  { place, tls }: BrokerTarget,
  env: Machine["env"],
): Promise<Outcome<Client, BrokerFailure>> {
  const secured = tls === null ? null : (await import("./tls.ts")).tlsOptions(tls, env);
  if (secured !== null && !secured.ok) return secured;
  const redis = new Redis({
    ...(place.kind === "socket"
      ? { path: place.path }
      : { host: place.address ?? place.host, port: place.port }),
    ...(secured === null ? {} : { tls: { ...secured.value, ...servername(place) } }),
    // A probe connects once, asks once and ends. ioredis' defaults are made for a service.
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // Sending again would publish a second ping. Queueing would hide that there is no connection.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    // It sends INFO before the first command. That costs a round trip, and a small ACL may not allow it.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Nothing here needs RESP3, and HELLO is unknown to servers before Redis 6.
    protocol: 2,
    // We measure the time ourselves, see `within`.
    connectTimeout: 0,
    keepAlive: 0,
  });
  const gate = openWireGate();
  const addresses: string[] = [];
  putBefore(redis, gate, (stream) => {
    stream.on("lookup", (error: Error | null, address: string) => {
      if (error === null) addresses.push(plainAddress(address));
    });
  });
  let lastError: unknown = null;
  redis.on("error", (error: unknown) => {
    lastError = error;
  });
  return success({
    redis,
    expect: gate.expect,
    addresses,
    pardon: { refusal: null },
    lastError: () => lastError,
    // `stream` is undefined during the DNS lookup.
    isReached: () => (redis.stream as Redis["stream"] | undefined)?.remoteAddress !== undefined,
  });
}

/** The certificate is for the name, whichever of its addresses we use. */
function servername(place: BrokerTarget["place"]): { readonly servername?: string } {
  return place.kind === "socket" || place.address === undefined ? {} : { servername: place.host };
}

/** Something that the gate stopped. It closes the connection, as an error of its socket. */
class NotLetThrough extends Error {
  readonly problem: Refused;

  constructor(problem: Refused) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * The part of ioredis that opens the socket. It is private, and the only place to get the socket before a byte has
 * arrived.
 */
interface Opening {
  readonly connector: { connect: (report: unknown) => Promise<Redis["stream"]> };
}

/** Whether this chunk fills its whole memory buffer. */
function isAlone(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  return chunk.buffer instanceof ArrayBuffer && chunk.buffer.byteLength === chunk.byteLength;
}

/**
 * Puts the gate between the socket and the parser. The socket pushes what has arrived, and the parser reads what was
 * pushed.
 */
function putBefore(redis: Redis, { pass }: WireGate, onOpening: (stream: Redis["stream"]) => void): void {
  const { connector } = redis as unknown as Opening;
  const connect = connector.connect.bind(connector);
  connector.connect = async (report) => {
    const stream = await connect(report);
    onOpening(stream);
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding) => {
      // The end of the stream has no bytes.
      if (!(chunk instanceof Uint8Array)) return push(chunk, encoding);
      const { pieces, problem } = pass(chunk);
      let goesOn = true;
      for (const piece of pieces) goesOn = push(piece, encoding);
      // Without this, V8 keeps up to 64 MB of cut data in memory. Only this read uses this memory.
      if (pieces.length === 0 && isAlone(chunk)) chunk.buffer.transfer(0);
      if (problem !== null) stream.destroy(new NotLetThrough(problem));
      return goesOn;
    };
    return stream;
  };
}

function channelOver(client: Client, target: BrokerTarget, now: () => number): Channel {
  const hide = hiding(target.password);
  let isGreeted = false;
  /** Without a login we have no name and no database, so nothing more may be sent. */
  let refused: Refused | null = null;

  const write: Exchange = async (commands, withinMs) => {
    if (refused !== null) return failure(refused);
    const send = (all: readonly WireCommand[]) => exchange(client, all);
    const sending = isGreeted ? send(commands) : signInAnd(send, target, commands, client.pardon);
    const wasGreeted = isGreeted;
    isGreeted = true;
    const started = now();
    const answered = await within(withinMs, sending);
    if (answered.kind === "late") return failure(noAnswer(withinMs));
    if (answered.kind === "failed") return failure(asFailure(answered.error));
    if (answered.value.ok || wasGreeted) return answered.value;
    if (answered.value.problem.kind === "refused") refused = answered.value.problem;
    if (target.tls !== null) return answered.value;
    const leftMs = Math.min(OTHER_WAY_MS, withinMs - (now() - started));
    return failure(await forWantOfTls(answered.value.problem, target, leftMs));
  };

  /** From here on, the password is masked in a server's words. */
  const writeHiding: Exchange = async (commands, withinMs) => {
    const sent = await write(commands, withinMs);
    if (!sent.ok) return failure(masked(sent.problem, hide));
    return success(sent.value.map((reply) => (reply.ok ? reply : { ok: false, error: hide(reply.error) })));
  };

  return {
    ...takeTurns(writeHiding, now),
    pardoned: () => client.pardon.refusal,
    addresses: () => client.addresses,
    ends: () => endsOf(client.redis, target),
    close() {
      client.redis.disconnect();
    },
  };
}

/** Sends all in one write. */
async function exchange(
  { redis, expect, lastError }: Client,
  commands: readonly WireCommand[],
): Promise<Outcome<readonly Reply[], BrokerFailure>> {
  expect(commands);
  const pipeline = redis.pipeline(commands.map(([name, ...args]) => ["call", name, ...args]));
  const replies: Reply[] = [];
  for (const [error, value] of (await pipeline.exec()) ?? []) {
    if (error === null) replies.push({ ok: true, value });
    else if (error instanceof ReplyError) replies.push({ ok: false, error: error.message });
    else return failure(whyNoReply(commands, replies, lastError() ?? error));
  }
  return success(replies);
}

/** The ends of a unix socket have no address. CLIENT LIST shows them without one too. */
function endsOf({ stream }: Redis, { place }: BrokerTarget): Ends | null {
  if (place.kind === "socket") {
    return stream.destroyed
      ? null
      : { local: { address: "", port: 0 }, remote: { address: place.path, port: 0 } };
  }
  // A closed socket no longer knows its ends.
  const { localAddress, localPort, remoteAddress, remotePort } = stream;
  if (localAddress === undefined || localPort === undefined) return null;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return {
    local: { address: plainAddress(localAddress), port: localPort },
    remote: { address: plainAddress(remoteAddress), port: remotePort },
  };
}

/** Why one of the commands got no reply. */
function whyNoReply(sent: readonly WireCommand[], replies: readonly Reply[], error: unknown): BrokerFailure {
  if (error instanceof NotLetThrough) return error.problem;
  return lastWords(sent, replies) ?? asFailure(error);
}

/**
 * A server that hangs up may have said why. In protected mode, or with too many clients, it answers once and closes.
 */
function lastWords(sent: readonly WireCommand[], replies: readonly Reply[]): Refused | null {
  for (const [position, reply] of replies.entries()) {
    if (!reply.ok) return refusedBy(sent[position]?.[0] ?? "", reply.error);
  }
  return null;
}

function notRedis(detail: string): Refused {
  return { kind: "refused", cause: "not-redis", command: "", detail };
}

/**
 * Turns an exception of ioredis or of the socket into a failure. Sockets set a `code`. For a connection that the other
 * side closed, ioredis has its own message. Other exceptions come from the parser: the bytes were not Redis protocol.
 */
function asFailure(error: unknown): BrokerFailure {
  if (error instanceof NotLetThrough) return error.problem;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string") return unreachableBy(code);
  // ioredis asks the user to report replies that it cannot read.
  const text = String(message ?? error).replace(/\.? Please report this\.$/, "");
  if (/connection is closed|connection close|isn't writeable/i.test(text)) return unreachableBy("ECONNRESET");
  return notRedis(text);
}
