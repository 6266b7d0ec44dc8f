import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutMark } from "../../src/broker/cut-text.ts";
import { parseClientList, plainAddress } from "../../src/broker/client-list.ts";

const LISTS = join(import.meta.dirname, "../fixtures/client-list");
const recorded = (name: string) => readFileSync(join(LISTS, `${name}.txt`), "utf8");

/** As Redis 5 documents it: neither laddr nor user, resp or lib-name. */
const REDIS_5 =
  "id=3 addr=10.0.0.7:52555 fd=8 name= age=855 idle=4 flags=b db=2 sub=0 psub=0 multi=-1 qbuf=0 qbuf-free=32768 " +
  "obl=0 oll=0 omem=0 events=r cmd=brpop\n";

const row = (changes: Readonly<Record<string, string | null>>) =>
  REDIS_5.trimEnd()
    .split(" ")
    .map((pair) => pair.split("=", 1)[0] ?? "")
    .map((name) => {
      const value = new RegExp(`(?:^| )${name}=(\\S*)`).exec(REDIS_5)?.[1] ?? "";
      return name in changes
        ? changes[name] === null
          ? ""
          : `${name}=${changes[name] ?? ""}`
        : `${name}=${value}`;
    })
    .filter((pair) => pair !== "")
    .join(" ");

describe("parseClientList", () => {
  test.each([
    ["redis-6.2.5-idle", 12],
    ["redis-7.0.15-idle", 14],
    ["redis-7.0.15-busy", 14],
    ["valkey-9.1.2-idle", 14],
    ["valkey-9.1.2-busy", 14],
  ])("reads every row when the list is that of %s", (name, rows) => {
    const list = parseClientList(recorded(name));
    expect(list).toHaveLength(rows);
    expect(list?.filter(({ subscriptions }) => subscriptions === 1)).toHaveLength(2);
    expect(list?.filter(({ command }) => command === "brpop")).toMatchObject([
      { db: 0, flags: name.endsWith("idle") ? "b" : "N" },
    ]);
    expect(new Set(list?.map(({ id }) => id)).size).toBe(rows);
  });

  test.each(["redis-7.0.15-idle", "valkey-9.1.2-idle"])(
    "tells IPv4, IPv6 and unix sockets apart when %s shows all three",
    (name) => {
      const list = parseClientList(recorded(name)) ?? [];
      expect(list.filter(({ address }) => address === "")).toMatchObject([{ port: 0, flags: "U" }]);
      const [six] = list.filter(({ address }) => address === "::1");
      expect(six?.port).toBeGreaterThan(0);
      expect(list.filter(({ address }) => address === "127.0.0.1")).toHaveLength(12);
    },
  );

  test("gives every field when the row is one of Redis 7", () => {
    const line =
      "id=12 addr=127.0.0.1:55542 laddr=127.0.0.1:40763 fd=17 name= age=7 idle=3 flags=P db=3 sub=1 psub=2 ssub=0 " +
      "multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 tot-mem=1824 events=r " +
      "cmd=PSUBSCRIBE user=default redir=-1 resp=3\n";
    expect(parseClientList(line)).toEqual([
      {
        id: 12,
        address: "127.0.0.1",
        port: 55542,
        idleS: 3,
        ageS: 7,
        flags: "P",
        db: 3,
        subscriptions: 3,
        patterns: 2,
        command: "psubscribe",
      },
    ]);
  });

  test("reads Redis 5 when newer fields are missing", () => {
    expect(parseClientList(REDIS_5)).toMatchObject([{ id: 3, port: 52555, idleS: 4, ageS: 855, db: 2 }]);
  });

  test.each([
    ["a name holds =", { name: "addr=1.2.3.4:5" }, { address: "10.0.0.7", port: 52555 }],
    ["IPv4 is mapped into IPv6", { addr: "[::ffff:10.0.0.9]:41000" }, { address: "10.0.0.9", port: 41000 }],
    ["IPv6 has no brackets", { addr: "fe80::1:41000" }, { address: "fe80::1", port: 41000 }],
    ["a unix socket's path holds a colon", { addr: "/run/a:b.sock:0" }, { address: "", port: 0 }],
    ["a unix socket's path holds a space", { addr: "/run/my redis.sock:0" }, { address: "", port: 0 }],
    ["a unix socket's path is relative", { addr: "redis.sock:0" }, { address: "", port: 0 }],
    ["Valkey puts a path in brackets", { addr: "[/run/a.sock:0]:0" }, { address: "", port: 0 }],
    ["the end is not known", { addr: "?:0" }, { address: "", port: 0 }],
    ["no command came yet", { cmd: "NULL" }, { command: "null" }],
    ["the server's clock was set back", { idle: "-583", age: "-580" }, { idleS: null, ageS: null }],
  ])("takes no harm when %s", (_, changes, expected) => {
    expect(parseClientList(row(changes))).toMatchObject([expected]);
  });

  test.each(["id", "addr", "idle", "age", "flags", "db", "sub", "psub", "cmd"])(
    "is no list when a row has no %s",
    (name) => {
      expect(parseClientList(`${REDIS_5}${row({ [name]: null })}\n`)).toBeNull();
    },
  );

  test.each([
    ["more connections than are read", REDIS_5.repeat(20_001)],
    ["lines without end", "\n".repeat(100_000)],
    ["both ends of a longer one", `${REDIS_5}id=4 ad${cutMark(9_000_000)}psub=0 cmd=ping\n${REDIS_5}`],
    ["nothing", ""],
    ["OK", "OK"],
    ["a number", 4],
    ["an array", [REDIS_5]],
    ["null", null],
    ["a port that is no number", row({ addr: "10.0.0.7:x" })],
    ["an address without a port", row({ addr: "10.0.0.7" })],
    ["an idle time that is no number", row({ idle: "x" })],
    ["an idle time that is a sign alone", row({ idle: "-" })],
  ])("is no list when the reply is %s", (_, reply) => {
    expect(parseClientList(reply)).toBeNull();
  });

  test("never throws whatever the reply is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), (reply) => {
        expect(() => parseClientList(reply)).not.toThrow();
      }),
    );
  });

  test("reads ten thousand rows in little time when a fleet is large", () => {
    const line = recorded("valkey-9.1.2-idle").split("\n")[0] ?? "";
    const text = `${line}\n`.repeat(10_000);
    const start = performance.now();
    expect(parseClientList(text)).toHaveLength(10_000);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

test.each([
  ["::ffff:127.0.0.1", "127.0.0.1"],
  ["::FFFF:10.0.0.7", "10.0.0.7"],
  ["::ffff:1:2", "::ffff:1:2"],
  ["fe80::1%eth0", "fe80::1"],
  ["::1", "::1"],
  ["10.0.0.7", "10.0.0.7"],
])("plainAddress of %s is %s when everybody is to write it alike", (text, plain) => {
  expect(plainAddress(text)).toBe(plain);
});
