import { randomUUID } from "node:crypto";
import { type CeleryVersion, PAIRS } from "./pairs.ts";
import { pidboxChannel, publishQuestion, rawReplies } from "./pidbox-by-hand.ts";
import { celeryVenv } from "./python.ts";
import type { Server } from "./server.ts";
import { celeryInspectPing } from "./shell-line.ts";
import { startWorker } from "./worker.ts";
import type { Pool } from "./worker-command.ts";

/** One recorded answer; `reply` is the element of the reply list exactly as the worker wrote it. */
export interface RecordedReply {
  readonly celery: string;
  readonly kombu: string;
  readonly redisPy: string;
  readonly pool: Pool;
  /** The node that answered. */
  readonly node: string;
  /** The ticket of the question. The reply's headers must contain it. */
  readonly ticket: string;
  readonly reply: string;
}

/** What Celery's own client publishes for `celery inspect ping -d celery@x`, unchanged. */
export interface RecordedRequest {
  readonly celery: string;
  readonly kombu: string;
  readonly redisPy: string;
  readonly channel: string;
  readonly message: string;
}

export interface Recording {
  readonly server: Server;
  readonly celery: CeleryVersion;
  readonly pool: Pool;
  readonly method: string;
  /** Celery's settings for the workers. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** One worker for each. All get the same question. */
  readonly nodes: readonly string[];
}

/**
 * Asks real workers one question and returns their answers, in the order of `nodes`.
 *
 * @throws Error if not every worker has answered within 5 s
 */
export async function recordReplies(recording: Recording): Promise<RecordedReply[]> {
  const { server, celery, pool, nodes } = recording;
  await using workers = new AsyncDisposableStack();
  for (const name of nodes) {
    workers.use(await startWorker({ server, celery, pool, name, settings: recording.settings ?? {} }));
  }
  const redis = server.client();
  const ticket = randomUUID();
  const replyKey = `${randomUUID()}.reply.celery.pidbox`;
  const { method } = recording;
  await publishQuestion(redis, {
    channel: pidboxChannel(0),
    method,
    destination: nodes,
    replyKey,
    ticket,
    ttl: 3600,
  });
  const replies = await rawReplies(redis, replyKey, { count: nodes.length });
  redis.disconnect();
  const { kombu, redisPy } = PAIRS[celery];
  return nodes.map((node) => {
    const reply = replies.find((raw) => isFrom(node, raw));
    if (reply === undefined)
      throw new Error(`${node} has not answered ${method}; the list: ${replies.join("\n")}`);
    return { celery: PAIRS[celery].celery, kombu, redisPy, pool, node, ticket, reply };
  });
}

/**
 * Looks only for the name, in plain text or base64. So the format of the answer does not matter, and nothing in it is
 * interpreted.
 */
function isFrom(node: string, raw: string): boolean {
  const envelope: unknown = JSON.parse(raw);
  if (typeof envelope !== "object" || envelope === null || !("body" in envelope)) return false;
  const body = String(envelope.body);
  return body.includes(node) || Buffer.from(body, "base64").includes(node);
}

/**
 * Listens on the channel while Celery's own `inspect ping` asks a node that does not exist.
 *
 * @throws Error if it ends without publishing
 */
export async function recordRequest(server: Server, celery: CeleryVersion): Promise<RecordedRequest> {
  const channel = pidboxChannel(0);
  const redis = server.client();
  const messages: string[] = [];
  redis.on("message", (_channel: string, message: string) => messages.push(message));
  await redis.subscribe(channel);
  const venv = await celeryVenv(celery);
  const result = await celeryInspectPing({ venv, brokerUrl: server.url(), node: "celery@x" });
  redis.disconnect();
  const [message] = messages;
  if (message === undefined) throw new Error(`celery ${celery} has published nothing:\n${result.stderr}`);
  const { kombu, redisPy } = PAIRS[celery];
  return { celery: PAIRS[celery].celery, kombu, redisPy, channel, message };
}

/** One heartbeat as the worker published it, and its channel. */
export interface RecordedHeartbeat extends Omit<RecordedRequest, "message"> {
  readonly pool: Pool;
  readonly node: string;
  /** The number of the worker's main process. */
  readonly pid: number;
  readonly message: string;
}

export interface HeartbeatRecording extends Pick<Recording, "server" | "celery" | "pool" | "settings"> {
  readonly node: string;
  readonly db: number;
}

/** Listens to the events of a worker until it sends a heartbeat. It sends one every 2 s. */
export async function recordHeartbeat(recording: HeartbeatRecording): Promise<RecordedHeartbeat> {
  const { server, celery, pool, node, settings = {} } = recording;
  const redis = server.client();
  await using worker = await startWorker({
    server,
    brokerUrl: server.url(recording.db),
    celery,
    pool,
    name: node,
    settings,
    // With a key prefix, it listens elsewhere.
    until: "ready",
  });
  const { kombu, redisPy } = PAIRS[celery];
  const { channel, message } = await new Promise<{ channel: string; message: string }>((heard, failed) => {
    redis.on("pmessage", (_pattern, channel: string, message: string) => {
      if (isHeartbeat(message)) heard({ channel, message });
    });
    redis.psubscribe("*celeryev*").catch(failed);
  });
  redis.disconnect();
  return { celery: PAIRS[celery].celery, kombu, redisPy, pool, node, pid: worker.pid, channel, message };
}

/** Like {@link isFrom}. Events of all types share a channel if `fanout_patterns` is off. */
function isHeartbeat(raw: string): boolean {
  return raw.includes("worker-heartbeat") || isFrom("worker-heartbeat", raw);
}
