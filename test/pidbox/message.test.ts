import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeReply, encodeRequest, isPong, type Question, type Request } from "../../src/pidbox/message.ts";

const WIRE = join(import.meta.dirname, "../fixtures/wire");

interface Recorded {
  readonly node: string;
  readonly ticket: string;
  readonly reply: string;
}

function recorded(file: string): Recorded & { readonly message: string } {
  return JSON.parse(readFileSync(join(WIRE, file), "utf8")) as Recorded & { message: string };
}

const files = (folder = "") => readdirSync(join(WIRE, folder)).filter((file) => file.endsWith(".json"));

const REQUEST: Request = {
  question: { method: "ping" },
  destination: ["celery@x"],
  ticket: "9f1c3a52-6d0e-4a77-8c57-0f6b6a1f9d11",
  controlExchange: "celery",
  replyTo: "b52299bf-a560-5a4d-8301-efca8a8bcb02.reply.celery.pidbox",
  deliveryTag: "1b4f0e98-7c1d-4f36-9a0b-6e6b52f5a3c2",
  expires: 1_795_397_398.5,
};

type Json = Record<string, unknown>;

/** The message taken apart: envelope without its body, and the body. */
function apart(message: string): { envelope: Json; body: Json } {
  const { body, ...envelope } = JSON.parse(message) as Json & { body: string };
  return { envelope, body: JSON.parse(Buffer.from(body, "base64").toString("utf8")) as Json };
}

describe("encodeRequest", () => {
  test.each(["5.2.7", "5.3.6", "5.7.0"])("writes what the client of Celery %s writes", (version) => {
    const theirs = apart(recorded(`celery-${version}-request.json`).message);
    const ours = apart(encodeRequest(REQUEST));
    // What is new in each message, and what we mean to be different: no binding, and no say in the clock.
    expect(ours).toEqual({
      envelope: {
        ...theirs.envelope,
        headers: { clock: 0, expires: REQUEST.expires },
        properties: { ...(theirs.envelope["properties"] as Json), delivery_tag: REQUEST.deliveryTag },
      },
      body: {
        ...theirs.body,
        ticket: REQUEST.ticket,
        reply_to: { exchange: "", routing_key: REQUEST.replyTo },
      },
    });
    expect(Object.keys(theirs.envelope["headers"] as Json)).toEqual(["clock", "expires"]);
    expect(Object.keys(theirs.body["reply_to"] as Json)).toEqual(["exchange", "routing_key"]);
  });

  test("asks everyone when nobody is named", () => {
    expect(apart(encodeRequest({ ...REQUEST, destination: "everyone" })).body["destination"]).toBeNull();
  });

  // Golden, to the byte: a worker that is sent another form, or a command that changes something, is harmed.
  test.each<[Question, string]>([
    [{ method: "ping" }, "{}"],
    [{ method: "clock" }, "{}"],
    [{ method: "stats" }, "{}"],
    [{ method: "active_queues" }, "{}"],
    [{ method: "active" }, '{"safe":true}'],
    [{ method: "report" }, "{}"],
    [{ method: "reserved" }, "{}"],
    [{ method: "scheduled" }, "{}"],
    [{ method: "revoked" }, "{}"],
    [
      { method: "registered", taskInfo: ["rate_limit"], builtins: true },
      '{"taskinfoitems":["rate_limit"],"builtins":true}',
    ],
    [{ method: "conf", withDefaults: false }, '{"with_defaults":false}'],
    [{ method: "query_task", ids: ["a", "b"] }, '{"ids":["a","b"]}'],
  ])("writes %j with exactly these arguments", (question, words) => {
    const { body } = JSON.parse(encodeRequest({ ...REQUEST, question })) as { body: string };
    expect(Buffer.from(body, "base64").toString("utf8")).toBe(
      `{"method":"${question.method}","arguments":${words},"destination":["celery@x"],"pattern":null,"matcher":null,` +
        `"ticket":"${REQUEST.ticket}","reply_to":{"exchange":"","routing_key":"${REQUEST.replyTo}"}}`,
    );
  });

  test("has no other methods to write", () => {
    // @ts-expect-error: what changes a worker cannot be encoded
    const harmful: Request = { ...REQUEST, question: { method: "shutdown" } };
    expect(() => encodeRequest(harmful)).toThrow("no such method");
  });

  test("has the form that workers survive whatever the names hold", () => {
    const name = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1 }),
        name,
        name,
        name,
        (destination, ticket, replyTo, deliveryTag) => {
          const { envelope, body } = apart(
            encodeRequest({ ...REQUEST, destination, ticket, replyTo, deliveryTag }),
          );
          expect(Object.keys(envelope)).toEqual([
            "content-encoding",
            "content-type",
            "headers",
            "properties",
          ]);
          expect(envelope["headers"]).toEqual({ clock: 0, expires: REQUEST.expires });
          expect(envelope["properties"]).toEqual({
            delivery_mode: 2,
            delivery_info: { exchange: "celery.pidbox", routing_key: "" },
            priority: 0,
            body_encoding: "base64",
            delivery_tag: deliveryTag,
          });
          expect(body).toEqual({
            method: "ping",
            arguments: {},
            destination,
            pattern: null,
            matcher: null,
            ticket,
            reply_to: { exchange: "", routing_key: replyTo },
          });
        },
      ),
    );
  });
});

describe("decodeReply", () => {
  const pongs = files().filter((file) => file.includes("-pong"));
  const unread = /-pong-(pickle|yaml)\./;

  test("has recordings of three versions to read", () => {
    expect(new Set(pongs.map((file) => file.split("-")[1])).size).toBeGreaterThanOrEqual(3);
  });

  test.each(pongs.filter((file) => !unread.test(file)))("reads %s", (file) => {
    const { node, ticket, reply } = recorded(file);
    const answer = decodeReply(reply);
    expect(answer).toEqual({ ticket, said: { kind: "read", node, result: { ok: "pong" } } });
    expect(answer?.said.kind === "read" && isPong(answer.said.result)).toBe(true);
  });

  test.each(pongs.filter((file) => unread.test(file)))(
    "gives ticket and bytes, and decodes nothing, of %s",
    (file) => {
      const { ticket, node, reply } = recorded(file);
      const answer = decodeReply(reply);
      expect(answer).toMatchObject({ ticket, said: { kind: "unread" } });
      expect(answer?.said.kind === "unread" && answer.said.bytes).toContain(node);
      expect(answer?.said.kind === "unread" && answer.said.bytes).toContain("pong");
    },
  );

  test("reads an error, which is no pong", () => {
    const { ticket, reply, node } = recorded("celery-5.7.0-prefork-error-unknown-method.json");
    const answer = decodeReply(reply);
    expect(answer).toMatchObject({ ticket, said: { kind: "read", node } });
    expect(answer?.said.kind === "read" && isPong(answer.said.result)).toBe(false);
  });

  test.each(files("damaged"))("takes damaged/%s for no pong of the node asked", (file) => {
    const { ticket, node, reply } = recorded(join("damaged", file));
    const answer = decodeReply(reply);
    const counts =
      answer?.ticket === ticket &&
      (answer.said.kind === "unread" ||
        (answer.said.kind === "read" && answer.said.node === node && isPong(answer.said.result)));
    expect(counts).toBe(false);
  });

  test("never throws whatever stands in the list", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(() => decodeReply(text)).not.toThrow();
      }),
    );
  });
});

describe("numbers as Python writes them", () => {
  const pad = "x".repeat(100);
  test.each([
    ["Infinity", "1e999"],
    ["-Infinity", "-1e999"],
    ["NaN", "null"],
    ["12345678901234567890", "12345678901234567890"],
    ["-9007199254740993", "-9007199254740993"],
    ["0.12345678901234567", "0.12345678901234566"],
    ["1.0", "1"],
    ['"NaN \\" Infinity"', '"NaN \\" Infinity"'],
  ])("%s is read and written as %s", (number, written) => {
    const body = Buffer.from(`{"w@h": {"pad": "${pad}", "n": ${number}}}`).toString("base64");
    const text = JSON.stringify({
      body,
      "content-type": "application/json",
      headers: { ticket: "t" },
      properties: { body_encoding: "base64" },
    });
    const answer = decodeReply(text);
    const result = answer?.said.kind === "read" ? JSON.stringify(answer.said.result) : null;
    expect(result).toBe(`{"pad":"${pad}","n":${written}}`);
  });
});
