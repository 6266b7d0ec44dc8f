import { expect, test } from "vitest";
import { mayBeRead, refusedBy, unreachableBy } from "../../src/broker/failure.ts";

test.each([
  ["ECONNREFUSED", "connection-refused"],
  ["ENOTFOUND", "name-not-found"],
  ["EAI_AGAIN", "name-not-found"],
  ["EAI_NODATA", "name-not-found"],
  ["EHOSTUNREACH", "no-route"],
  ["ENETUNREACH", "no-route"],
  ["ETIMEDOUT", "connect-timeout"],
  ["ECONNRESET", "connection-lost"],
  ["EPIPE", "connection-lost"],
  ["EMFILE", "connect-failed"],
])("a socket error %s is %s", (code, cause) => {
  expect(unreachableBy(code)).toEqual({ kind: "unreachable", cause, detail: code });
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
  "a word that every object inherits, %s, is no code when a server or the runtime says it",
  (word) => {
    expect(refusedBy("PUBLISH", `${word} x`).cause).toBe("other");
    expect(unreachableBy(word).cause).toBe("connect-failed");
  },
);

test.each([
  ["EXECABORT Transaction discarded because of: NOPERM this user has no permissions", "no-permission"],
  ["EXECABORT Transaction discarded because of previous errors.", "no-transactions"],
])("EXEC answered with %s is %s", (reply, cause) => {
  expect(refusedBy("EXEC", reply)).toMatchObject({ cause, detail: reply });
});

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", true],
  ["READONLY You can't write against a read only replica.", true],
  ["NOPERM this user has no permissions", true],
  ["NOAUTH Authentication required.", false],
  ["LOADING Redis is loading the dataset in memory", false],
  ["BUSY Redis is busy running a script.", false],
])("a broker that answers %s may be read: %s", (reply, expected) => {
  expect(mayBeRead(refusedBy("PUBLISH", reply))).toBe(expected);
});

test("a broker that does not answer may not be read", () => {
  expect(mayBeRead(unreachableBy("ECONNREFUSED"))).toBe(false);
});
