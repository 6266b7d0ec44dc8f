// A fleet on a real broker whose workers give answers of any size. Real workers would need gigabytes for this.
import { once } from "node:events";
import { connect } from "node:net";
import type { Server } from "../world/server.ts";
import { PASSWORD } from "./conversation.ts";

/** Each node's answer to a method, as JSON; null: the usual answer. */
export type Json = (method: string, node: string) => string | null;

const SOFTWARE = "software -> celery:5.7.0 (x) kombu:5.7.0 py:3.11.2\nplatform -> system:Linux\n";

interface Body {
  readonly method: string;
  readonly destination: readonly string[] | null;
  readonly ticket: string;
  readonly reply_to: { readonly routing_key: string };
}

/**
 * Nodes that are subscribed and answer. They end with `await using`.
 *
 * @param flood what another client pushes before the answers
 */
export async function startFleet(
  server: Server,
  nodes: readonly string[],
  say: Json,
  flood: readonly string[],
): Promise<AsyncDisposable> {
  const redis = server.client();
  // The run may end before everything is there.
  const push = (key: string, element: string) => void redis.lpush(key, element).catch(() => undefined);
  const sockets = await Promise.all(
    nodes.slice(1).map(async () => {
      const socket = connect(server.port, "127.0.0.1").on("error", () => undefined);
      await once(socket, "connect");
      socket.resume().write(`AUTH ${PASSWORD}\r\nPSUBSCRIBE /0.celery.pidbox\r\n`);
      return socket;
    }),
  );
  const ear = server.client();
  await ear.psubscribe("/0.celery.pidbox");
  ear.on("pmessage", (_pattern: string, _channel: string, message: string) => {
    if (message === "") return;
    const envelope = JSON.parse(message) as { readonly body: string };
    const { method, destination, ticket, reply_to } = JSON.parse(
      Buffer.from(envelope.body, "base64").toString(),
    ) as Body;
    const answer = (node: string) => {
      const result =
        method === "ping"
          ? '{"ok":"pong"}'
          : (say(method, node) ?? (method === "report" ? reported() : "{}"));
      push(reply_to.routing_key, elementOf(`{${JSON.stringify(node)}:${result}}`, ticket));
    };
    for (const element of flood) push(reply_to.routing_key, element);
    for (const node of destination ?? nodes) answer(node);
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      ear.disconnect();
      redis.disconnect();
      await Promise.resolve();
    },
  };
}

function reported(): string {
  return JSON.stringify({ ok: SOFTWARE });
}

/** A reply in kombu's form (kombu/transport/virtual/base.py). */
export function elementOf(body: string, ticket: string): string {
  return JSON.stringify({
    body: Buffer.from(body).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { clock: 1, ticket },
    properties: {
      body_encoding: "base64",
      delivery_info: { exchange: "", routing_key: "x" },
      delivery_tag: "x",
    },
  });
}
