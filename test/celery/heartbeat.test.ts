import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_NAMING, whenceOf } from "../../src/broker/keys.ts";
import { decodeHeartbeat } from "../../src/celery/heartbeat.ts";

const WIRE = join(import.meta.dirname, "../fixtures/wire");

interface Recorded {
  readonly celery: string;
  readonly node: string;
  readonly pid: number;
  readonly channel: string;
  readonly message: string;
}

function recorded(file: string): Recorded {
  return JSON.parse(readFileSync(join(WIRE, file), "utf8")) as Recorded;
}

const FILES = readdirSync(WIRE).filter((file) => file.includes("-heartbeat"));

type Json = Record<string, unknown>;
const { channel: CHANNEL, message: MESSAGE, node: NODE } = recorded("celery-5.7.0-prefork-heartbeat.json");

function edited(edit: (envelope: Json) => void): string {
  const envelope = JSON.parse(MESSAGE) as Json;
  edit(envelope);
  return JSON.stringify(envelope);
}

/** The recorded event with these fields; undefined takes one away. */
function event(changes: Json): string {
  return edited((envelope) => {
    const body = JSON.parse(Buffer.from(String(envelope["body"]), "base64").toString("utf8")) as Json;
    envelope["body"] = Buffer.from(JSON.stringify({ ...body, ...changes })).toString("base64");
  });
}

describe("decodeHeartbeat", () => {
  test("has recordings of three versions to read", () => {
    expect(new Set(FILES.map((file) => file.split("-")[1])).size).toBeGreaterThanOrEqual(3);
  });

  test.each(FILES)("reads %s when a worker sends it", (file) => {
    const { celery, node, pid, channel, message } = recorded(file);
    expect(decodeHeartbeat(channel, message)).toEqual({
      node,
      pid,
      active: 0,
      processed: 0,
      version: celery,
      channel,
    });
    expect(whenceOf(channel, 0, DEFAULT_NAMING)).not.toBeNull();
  });

  test("gives the numbers when tasks run", () => {
    expect(decodeHeartbeat(CHANNEL, event({ active: 2, processed: 40 }))).toMatchObject({
      node: NODE,
      active: 2,
      processed: 40,
    });
  });

  test.each([
    ["active", { active: undefined, processed: 7 }, { active: null, processed: 7 }],
    ["processed", { active: 7, processed: "7" }, { active: 7, processed: null }],
    ["active that is not negative", { active: -1 }, { active: null }],
    ["sw_ver", { sw_ver: 5 }, { version: null }],
    ["sw_ver that is a version", { sw_ver: "5".repeat(101) }, { version: null }],
  ])("gives null, not a number, when it has no %s", (_, changes, expected) => {
    expect(decodeHeartbeat(CHANNEL, event(changes))).toMatchObject(expected);
  });

  test.each([
    ["an event of another type", event({ type: "worker-online" })],
    ["a worker's farewell", event({ type: "worker-offline" })],
    ["an event without a type", event({ type: undefined })],
    ["an event without a node", event({ hostname: undefined })],
    ["a node without a name", event({ hostname: "" })],
    ["a node with an invalid name", event({ hostname: "n".repeat(1_001) })],
    ["a message that is longer than any heartbeat", event({ sw_sys: "x".repeat(60_000) })],
    ["a node that is not a text", event({ hostname: ["w1@world"] })],
    ["an event without a process", event({ pid: undefined })],
    ["a process that is not a number", event({ pid: "17" })],
    ["a process that is not a whole number", event({ pid: 1.5 })],
    ["an empty text", ""],
    ["JSON's null", "null"],
    ["an array", `[${MESSAGE}]`],
    ["half a message", MESSAGE.slice(0, MESSAGE.length / 2)],
    ["an envelope without a body", edited((envelope) => Reflect.deleteProperty(envelope, "body"))],
    ["a body without properties", edited((envelope) => Reflect.deleteProperty(envelope, "properties"))],
    ["a body that is not base64", edited((envelope) => (envelope["body"] = "%%%"))],
    [
      "a body that is not JSON",
      edited((envelope) => (envelope["body"] = Buffer.from("x").toString("base64"))),
    ],
    ["a list of events", edited((envelope) => (envelope["body"] = Buffer.from("[{}]").toString("base64")))],
    [
      "another serialisation",
      edited((envelope) => (envelope["content-type"] = "application/x-python-serialize")),
    ],
  ])("is null when it is given %s", (_, text) => {
    expect(decodeHeartbeat(CHANNEL, text)).toBeNull();
  });

  test("is null when it is given a reply of the control exchange", () => {
    const { reply } = JSON.parse(readFileSync(join(WIRE, "celery-5.7.0-prefork-pong.json"), "utf8")) as {
      reply: string;
    };
    expect(decodeHeartbeat(CHANNEL, reply)).toBeNull();
  });

  test("never throws, whatever is published", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(() => decodeHeartbeat(CHANNEL, text)).not.toThrow();
      }),
    );
  });
});
