import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";

/**
 * Publishes a control command that no client of Celery sends: its arguments are a list, but the worker expects an
 * object. The worker logs "Control command error" and resets its control connection. With kombu 5.2.3 to 5.6.2 it then
 * never reads from the broker again (kombu/transport/redis.py, Transport.register_with_event_loop).
 *
 * Only for a broker that belongs to one test.
 */
export async function publishDamagedCommand(redis: Redis, channel: string, node: string): Promise<void> {
  const body = {
    method: "ping",
    arguments: ["not", "an", "object"],
    destination: [node],
    pattern: null,
    matcher: null,
  };
  const envelope = {
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { clock: 0 },
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: "celery.pidbox", routing_key: "" },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: randomUUID(),
    },
  };
  await redis.publish(channel, JSON.stringify(envelope));
}
