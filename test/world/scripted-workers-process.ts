// A process of scripted workers. For Redis and for every client they are workers, without the cost of Python.
// Arguments: port, how many, the first number. Ends when its parent is gone. Every worker has its own subscribed
// connection. Only the first of these is read: it answers for all, because all receive the same.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setPriority } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

const [port = "", count = "", first = ""] = process.argv.slice(2);
const CHANNEL = "/0.celery.pidbox";

/** Connections made at once. The server's backlog holds 511. */
const AT_ONCE = 100;

/** Milliseconds between two heartbeats of a worker, as by Celery's default. */
const BEAT_MS = 2_000;

/** Milliseconds between two groups of heartbeats. Heartbeats are spread over the two seconds. */
const TICK_MS = 50;

// Real workers have their own processors. These must not slow down what is measured.
setPriority(19);
process.on("disconnect", () => process.exit());

interface Scripted {
  name: string;
  pid: number;
  processed: number;
}

const workers: Scripted[] = Array.from({ length: Number(count) }, (_, at) => ({
  name: `celery@scripted-${Number(first) + at}`,
  pid: 1_000 + at,
  processed: 0,
}));

const answers = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/answers/celery-5.7.0-prefork.json"), "utf8"),
) as { readonly stats: object };
const { exchange, ...queue } = {
  name: "celery",
  exchange: { name: "celery", type: "direct" },
  routing_key: "celery",
};

const redis = new Redis({ host: "127.0.0.1", port: Number(port), enableAutoPipelining: true });

function envelope(body: unknown, headers: object, info: object): string {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers,
    properties: {
      delivery_mode: 1,
      delivery_info: info,
      priority: 0,
      body_encoding: "base64",
      delivery_tag: randomUUID(),
    },
  });
}

/** A worker's answers to the methods that monitors use. Other methods get no answer here. */
function answerTo(method: string, { pid, processed }: Scripted): unknown {
  switch (method) {
    case "ping":
      return { ok: "pong" };
    case "stats":
      return { ...answers.stats, pid, total: { "tasks.nap": processed } };
    case "active_queues":
      return [{ ...queue, exchange }];
    case "active":
      return [];
    default:
      return undefined;
  }
}

interface Asked {
  readonly method: string;
  readonly destination: readonly string[] | null;
  readonly ticket: string;
  readonly reply_to?: { readonly exchange: string; readonly routing_key: string };
}

async function hear(text: string): Promise<void> {
  if (text === "") return;
  const { body } = JSON.parse(text) as { readonly body: string };
  const {
    method,
    destination,
    ticket,
    reply_to: to,
  } = JSON.parse(Buffer.from(body, "base64").toString()) as Asked;
  if (to === undefined) return;
  // kombu looks up a binding for each reply (kombu/transport/virtual/base.py `_lookup`).
  const list = to.exchange === "" ? to.routing_key : `${to.routing_key}.${to.exchange}`;
  await Promise.all(
    workers
      .filter(({ name }) => destination === null || destination.includes(name))
      .map(async (worker) => {
        const answer = answerTo(method, worker);
        if (answer === undefined) return;
        if (to.exchange !== "") await redis.smembers(`_kombu.binding.${to.exchange}`);
        const info = { exchange: to.exchange, routing_key: to.routing_key };
        await redis.lpush(list, envelope({ [worker.name]: answer }, { ticket, clock: 1 }, info));
      }),
  );
}

function beat(worker: Scripted, type: string): void {
  const event = {
    ...{ hostname: worker.name, utcoffset: 0, pid: worker.pid, clock: 1, freq: 2, active: 1 },
    ...{
      processed: worker.processed,
      loadavg: [0, 0, 0],
      sw_ident: "py-celery",
      sw_ver: "5.7.0",
      sw_sys: "Linux",
    },
    ...{ timestamp: Date.now() / 1_000, type: `worker-${type}` },
  };
  const info = { exchange: "celeryev", routing_key: `worker.${type}` };
  void redis.publish(`/0.celeryev/worker.${type}`, envelope(event, { hostname: worker.name }, info));
}

let next = 0;
setInterval(() => {
  for (let due = Math.ceil((workers.length * TICK_MS) / BEAT_MS); due > 0; due--) {
    const worker = workers[next++ % workers.length];
    if (worker === undefined) return;
    worker.processed += 1;
    beat(worker, "heartbeat");
  }
}, TICK_MS);

/** All sockets except the first read into this buffer, and the data is dropped. */
const sink = Buffer.allocUnsafe(65_536);

function subscribe(): Promise<void> {
  return new Promise((done) => {
    const callback = () => {
      done(); // the confirmation comes first
      return true;
    };
    const socket = connect({ host: "127.0.0.1", port: Number(port), onread: { buffer: sink, callback } });
    socket.on("error", fail);
    socket.on("close", fail);
    socket.write(`*2\r\n$10\r\nPSUBSCRIBE\r\n$${CHANNEL.length}\r\n${CHANNEL}\r\n`);
  });
}

/** If a subscriber were gone, the measured costs would be too low. */
function fail(error: unknown): never {
  console.error(`a scripted worker lost its connection: ${String(error)}`);
  process.exit(1);
}

const ear = new Redis({ host: "127.0.0.1", port: Number(port) });
ear.on("pmessage", (_pattern: string, _channel: string, text: string) => void hear(text));
await ear.psubscribe(CHANNEL);
for (let made = 1; made < workers.length;) {
  const batch = Math.min(AT_ONCE, workers.length - made);
  await Promise.all(Array.from({ length: batch }, subscribe));
  made += batch;
}

process.on("message", ({ names, vanishing }: { names: readonly string[]; vanishing: number }) => {
  for (const [at, name] of names.entries()) {
    const worker = workers[at];
    if (worker === undefined) break;
    if (at >= vanishing) beat(worker, "offline");
    Object.assign(worker, { name, pid: worker.pid + 1, processed: 0 });
  }
  process.send?.("renamed");
});
process.send?.("ready");
