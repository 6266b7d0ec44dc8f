// A worker as a healthy check sees it: its command line `worker -n NODE`, started as `celery`, and its pong.
import { Redis } from "ioredis";

const [, , , node = ""] = process.argv;
const broadcasts = new Redis(process.env["CELERY_BROKER_URL"] ?? "");
const replies = broadcasts.duplicate();

/**
 * In the form that kombu/pidbox.py `Mailbox._publish_reply` writes.
 *
 * @param {string} ticket
 * @param {string} routingKey
 */
function pong(ticket, routingKey) {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify({ [node]: { ok: "pong" } })).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { ticket, clock: 1 },
    properties: {
      delivery_mode: 2,
      delivery_info: { exchange: "", routing_key: routingKey },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: ticket,
    },
  });
}

/** @type {(text: string) => Record<string, unknown>} */
const readJson = JSON.parse;

/**
 * In milliseconds. This is longer than the time in which the probe looks for the pong without a pause, so that every
 * run takes the same path.
 */
const THINKS_MS = 80;

broadcasts.on("message", (_, /** @type {string} */ message) => {
  const body = readJson(Buffer.from(String(readJson(message)["body"]), "base64").toString("utf8"));
  const { routing_key: key } = /** @type {{ routing_key: string }} */ (body["reply_to"]);
  setTimeout(() => void replies.lpush(key, pong(String(body["ticket"]), key)), THINKS_MS);
});
await broadcasts.subscribe("/0.celery.pidbox");
console.log("ready");
