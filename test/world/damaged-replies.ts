import type { RecordedReply } from "./pidbox-recorder.ts";

/** A reply that no worker sends, and why a client must not accept it as an answer to `ticket`. */
export interface DamagedReply {
  readonly damage: string;
  /** The client's ticket, and the node that it asked. */
  readonly ticket: string;
  readonly node: string;
  readonly reply: string;
}

type Envelope = Record<string, unknown> & {
  headers: Record<string, unknown>;
  properties: Record<string, unknown>;
};

/** Copies of a recorded reply with one damage each, by the names of their files. */
export function damagedReplies(recorded: RecordedReply): Record<string, DamagedReply> {
  const { ticket, node, reply } = recorded;
  const damaged = (damage: string, text: string): DamagedReply => ({ damage, ticket, node, reply: text });
  const edited = (damage: string, edit: (envelope: Envelope) => void): DamagedReply => {
    const envelope = JSON.parse(reply) as Envelope;
    edit(envelope);
    return damaged(damage, JSON.stringify(envelope));
  };
  const inBody = (body: unknown): string => Buffer.from(JSON.stringify(body)).toString("base64");
  const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  return {
    tombstone: damaged("the empty string that keeps the list, and so its TTL", ""),
    "truncated-json": damaged("the envelope ends in the middle", reply.slice(0, reply.length / 2)),
    "not-an-object": damaged("the envelope is an array", `[${reply}]`),
    null: damaged("the envelope is JSON's null", "null"),
    "no-headers": edited("no headers, so no ticket", (envelope) =>
      Reflect.deleteProperty(envelope, "headers"),
    ),
    "ticket-missing": edited("headers without a ticket", ({ headers }) =>
      Reflect.deleteProperty(headers, "ticket"),
    ),
    "ticket-foreign": edited("the answer to somebody else's question", ({ headers }) => {
      headers["ticket"] = "00000000-0000-4000-8000-000000000000";
    }),
    "ticket-not-a-string": edited("a number for a ticket", ({ headers }) => {
      headers["ticket"] = 7;
    }),
    "no-properties": edited("no properties, so no body_encoding", (envelope) =>
      Reflect.deleteProperty(envelope, "properties"),
    ),
    "no-body": edited("no body", (envelope) => Reflect.deleteProperty(envelope, "body")),
    "body-not-base64": edited("body_encoding says base64 and the body is not", (envelope) => {
      envelope["body"] = "%%% not base64 %%%";
    }),
    "body-not-json": edited("content-type says JSON and the decoded body is not", (envelope) => {
      envelope["body"] = Buffer.from("pong").toString("base64");
    }),
    "body-array": edited("the decoded body is an array", (envelope) => {
      envelope["body"] = inBody([{ [node]: { ok: "pong" } }]);
    }),
    "body-empty-object": edited("the decoded body names no node", (envelope) => {
      envelope["body"] = inBody({});
    }),
    "body-foreign-node": edited("the right ticket from a node that was not asked", (envelope) => {
      envelope["body"] = inBody({ "celery@somebody.else": { ok: "pong" } });
    }),
    "body-two-nodes": edited("the decoded body names two nodes", (envelope) => {
      envelope["body"] = inBody({ [node]: { ok: "pong" }, "celery@somebody.else": { ok: "pong" } });
    }),
    "body-not-pong": edited("the node answers something else", (envelope) => {
      envelope["body"] = inBody({ [node]: { ok: "ping" } });
    }),
    "envelope-deep": damaged("an envelope nested 10,000 deep", deep),
    "body-deep": edited("a body nested 10,000 deep", (envelope) => {
      envelope["body"] = Buffer.from(`{"${node}":${deep}}`).toString("base64");
    }),
  };
}
