import { expect, test } from "vitest";
import { isoSeconds } from "../../src/celery/iso-time.ts";
import { readFailure, statusOf } from "../../src/celery/results.ts";
import { hasResultPrefix, readBackend, toldBackend } from "../../src/celery/result-backend.ts";

test.each([
  ['{"status": "FAILURE", "result": {"exc_ty', "FAILURE"],
  ['{"status":"SUCCESS","result":3}', "SUCCESS"],
  ['{"result": "\\"status\\": \\"FAILURE\\""}', null],
  ["\x80\x04\x95status\x94\x8c\x07FAILURE", null],
  ["", null],
])("the status of %j is %s", (beginning, status) => {
  expect(statusOf(beginning)).toBe(status);
});

test("a failure has its exception, task and time, but never its message", () => {
  const meta = {
    status: "FAILURE",
    result: { exc_type: "ValueError", exc_message: ["pin"] },
    name: "tasks.add",
    date_done: "1970-01-01T00:01:40.500000",
  };
  expect(readFailure(JSON.stringify(meta))).toEqual({
    exception: "ValueError",
    task: "tasks.add",
    doneS: 100.5,
  });
  expect(readFailure('{"result": {"exc_type": "a sentence with a pin"}}')).toEqual({
    exception: null,
    task: null,
    doneS: null,
  });
  expect(readFailure("[]")).toBeNull();
});

test.each([
  ["1970-01-01T00:00:00Z", 0],
  ["2000-02-29T12:00:00+00:00", 951_825_600],
  ["2026-11-24T15:00:00.250000+01:00", 1_795_528_800.25],
  ["2024-03-01T00:00:00-0530", 1_709_271_000],
  ["2024-03-01", null],
  ["soon", null],
])("%s is %s", (text, s) => {
  expect(isoSeconds(text, null)).toBe(s);
});

test("a time without a zone is in UTC, or not read", () => {
  expect([isoSeconds("1970-01-01T00:00:09", "UTC"), isoSeconds("1970-01-01T00:00:09", null)]).toEqual([
    9,
    null,
  ]);
});

test("the backend is what workers' settings name", () => {
  const told = (conf: object) => toldBackend(new Map(Object.entries(conf)));
  expect(told({})).toBeNull();
  expect(told({ a: { error: "no" } })).toBeNull();
  expect(told({ a: { broker_url: "x" } })).toEqual({ text: "disabled", from: "the workers' settings" });
  expect(told({ a: {}, b: { result_backend: "rpc" } })).toEqual({ text: "rpc", from: "the settings of b" });
  const prefixed = { result_backend_transport_options: { global_keyprefix: "********" } };
  expect([hasResultPrefix(new Map([["a", prefixed]])), hasResultPrefix(new Map([["a", {}]]))]).toEqual([
    true,
    false,
  ]);
});

const SETTINGS = {
  tls: { reqs: "required" },
  masterName: "mymaster",
  sentinelUsername: null,
  sentinelPassword: null,
  sentinelTls: false,
} as const;
const BROKER = {
  place: { kind: "tcp", host: "redis", port: 6379 },
  db: 0,
  username: "me",
  password: "right",
  tls: null,
} as const;
const server = (text: string) => {
  const read = readBackend({ text, from: "x" }, SETTINGS, BROKER);
  return read.kind === "redis" && read.located.kind === "servers" ? read.located.servers[0] : read;
};

test("a backend with a masked password is the broker's server, or cannot be used", () => {
  expect(server("redis://:********@redis:6379/3")).toMatchObject({
    db: 3,
    username: "me",
    password: "right",
  });
  expect(server("redis://:********@elsewhere/3")).toMatchObject({ kind: "hidden" });
  expect(server("redis://:own@elsewhere/3")).toMatchObject({ password: "own", tls: null });
});

test("the broker's certificates are used when the backend has TLS", () => {
  expect(server("rediss://a:1/0")).toMatchObject({ tls: { reqs: "required" } });
  expect(server("redis://a:1/0")).toMatchObject({ tls: null });
});

test("a Sentinel is asked for the master with the given name", () => {
  const read = readBackend({ text: "sentinel://a:26379/1;sentinel://b", from: "x" }, SETTINGS, BROKER);
  expect(read).toMatchObject({ located: { kind: "sentinel", masterName: "mymaster", master: { db: 1 } } });
});

test.each([
  ["db+postgresql://me:pw@host/db", { kind: "other", detail: "db+postgresql" }],
  ["cache+memcached://127.0.0.1", { kind: "other", detail: "cache+memcached" }],
  ["my.module:Backend", { kind: "other", detail: "my.module:Backend" }],
  ["disabled", { kind: "none-kept" }],
  ["redis://:pw@host:99999/0", { kind: "no-url", url: "redis://:***@host:99999/0" }],
])("%s is %j", (text, expected) => {
  expect(server(text)).toMatchObject(expected);
});
