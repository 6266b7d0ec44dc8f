import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ClientRow, parseClientList } from "../../src/broker/client-list.ts";
import {
  attribute,
  databases,
  pausedFor,
  polling,
  reissued,
  silentFor,
} from "../../src/worker/connections.ts";
import type { Endpoint, TcpSocket } from "../../src/worker/sockets.ts";

const BROKER = at("10.0.0.5", 6379);
const US = { local: at("10.0.0.7", 50_000), remote: BROKER };

function at(address: string, port: number): Endpoint {
  return { address, port };
}

function row(address: string, port: number, more: Partial<ClientRow> = {}): ClientRow {
  const plain = {
    id: port,
    idleS: 1,
    ageS: 9,
    flags: "N",
    db: 0,
    subscriptions: 0,
    patterns: 0,
    command: "ping",
  };
  return { ...plain, address, port, ...more };
}

function socket(port: number, more: Partial<TcpSocket> = {}): TcpSocket {
  return { local: at("10.0.0.7", port), remote: BROKER, state: "established", ...more };
}

const OUR_ROW = row("10.0.0.7", 50_000, { command: "client|list" });
/** Of somebody else on the same host. */
const THEIRS = row("10.0.0.7", 42_000);
const ROWS = [OUR_ROW, THEIRS, row("10.0.0.7", 41_001), row("10.0.0.7", 41_002), row("10.0.0.8", 41_001)];

function seen(sockets: readonly TcpSocket[], more: Partial<Parameters<typeof attribute>[0]> = {}) {
  return { sockets: { kind: "own", sockets } as const, rows: ROWS, ourselves: US, alone: true, ...more };
}

const shared = (sockets: readonly TcpSocket[]) => ({ sockets: { kind: "shared", sockets } as const });

describe("attribute, when the sockets are the worker's own,", () => {
  test("gives the rows with address and port of a socket when there are any", () => {
    expect(attribute(seen([socket(41_001), socket(41_002), socket(41_003)], { alone: false }))).toEqual({
      kind: "known",
      by: "socket",
      closeWait: false,
      elsewhere: [],
      rows: [row("10.0.0.7", 41_001), row("10.0.0.7", 41_002)],
    });
  });

  test("does not know them where all come by a unix socket, and nobody's is ours", () => {
    const ourselves = { local: at("", 0), remote: at("/run/redis.sock", 0) };
    const us = row("", 0, { id: 1, command: "client|list" });
    const ourEar = row("", 0, { id: 2, command: "psubscribe", subscriptions: 2 });
    const fetching = row("", 0, { id: 3, command: "brpop" });
    expect(attribute(seen([], { ourselves, rows: [us, ourEar, fetching] }))).toMatchObject({
      kind: "unknown",
      because: "unix-socket",
      established: true,
    });
    expect(attribute(seen([], { ourselves, rows: [us, ourEar] }))).toMatchObject({ kind: "none" });
  });

  test("takes mapped IPv4 for the same when either side writes it so", () => {
    const mapped = { local: at("::ffff:10.0.0.7", 41_001), remote: at("::ffff:10.0.0.5", 6379) };
    expect(attribute(seen([socket(41_001, mapped)]))).toMatchObject({ kind: "known" });
    const ourselves = { local: at("::ffff:10.0.0.7", 50_000), remote: at("::ffff:10.0.0.5", 6379) };
    expect(attribute(seen([socket(41_001, { state: "close-wait" })], { ourselves }))).toMatchObject({
      kind: "none",
      closeWait: true,
    });
  });

  test("knows them on loopback too when others are there", () => {
    const loopback = at("127.0.0.1", 6379);
    const ourselves = { local: at("127.0.0.1", 50_000), remote: loopback };
    const rows = [row("127.0.0.1", 50_000), row("127.0.0.1", 41_001), row("127.0.0.1", 41_002)];
    const sockets = [socket(41_001, { local: at("127.0.0.1", 41_001), remote: loopback })];
    expect(attribute(seen(sockets, { ourselves, rows, alone: false }))).toEqual({
      kind: "known",
      by: "socket",
      closeWait: false,
      elsewhere: [],
      rows: [row("127.0.0.1", 41_001)],
    });
  });

  test.each([
    ["it has no sockets", [], {}],
    ["the broker has closed its sockets", [socket(41_001, { state: "close-wait" })], { closeWait: true }],
    ["it is connecting", [socket(43_000, { state: "connecting" })], { connecting: true }],
    ["its sockets of another state have the port of a row", [socket(41_001, { state: "other" })], {}],
    ["its sockets live and the broker does not know them", [socket(43_000)], { isAddressListed: true }],
    [
      "a socket to something else is in CLOSE_WAIT",
      [socket(43_000, { remote: at("10.0.0.6", 5432), state: "close-wait" })],
      {},
    ],
  ] as const)("is none when %s", (_, sockets, expected) => {
    expect(attribute(seen(sockets))).toEqual({
      kind: "none",
      closeWait: false,
      connecting: false,
      isAddressListed: false,
      elsewhere: [],
      ...expected,
    });
  });

  test("says whether anything but ours comes from an address of one that is connected elsewhere", () => {
    const there = [socket(43_000, { remote: at("10.0.0.6", 6379) })];
    expect(attribute(seen(there))).toMatchObject({ kind: "none", isAddressListed: true });
    const ear = row("10.0.0.7", 50_001, { subscriptions: 2 });
    const rows = [OUR_ROW, ear, row("10.0.0.8", 41_001)];
    expect(attribute(seen(there, { rows, alsoOurs: [at("10.0.0.7", 50_001)] }))).toMatchObject({
      kind: "none",
      isAddressListed: false,
    });
  });

  test("names other brokers once when it is connected there", () => {
    const to = (address: string, port: number, state: TcpSocket["state"] = "established") =>
      socket(43_000, { remote: at(address, port), state });
    const ourselves = { ...US, remote: at("10.0.0.5", 7000) };
    const sockets = [
      to("10.0.0.6", 7000),
      to("10.0.0.6", 7000),
      to("10.0.0.5", 6379),
      to("10.0.0.6", 6380),
      to("10.0.0.9", 26_379),
      to("10.0.0.9", 5432),
      to("10.0.0.10", 6379, "connecting"),
    ];
    expect(attribute(seen(sockets, { ourselves }))).toMatchObject({
      kind: "none",
      elsewhere: [at("10.0.0.6", 7000), at("10.0.0.5", 6379), at("10.0.0.6", 6380), at("10.0.0.9", 26_379)],
    });
  });
});

test("attribute names a broker on an unusual port by how many connections there are", () => {
  const to = (port: number) => socket(43_000, { remote: at("10.0.0.7", port), state: "established" });
  const sockets = [16_379, 16_379, 5432].map(to);
  expect(attribute(seen(sockets))).toMatchObject({ kind: "none", elsewhere: [at("10.0.0.7", 16_379)] });
});

describe("attribute does not know the connections", () => {
  const unknown = (because: string, established: boolean | null) => ({
    kind: "unknown",
    because,
    established,
    elsewhere: [],
  });

  test("when our own stands in the list under another port", () => {
    const rows = [row("10.0.0.7", 50_001), row("10.0.0.7", 41_001)];
    expect(attribute(seen([socket(41_001)], { rows }))).toEqual(unknown("translated", true));
    expect(attribute(seen([], { rows }))).toEqual(unknown("translated", false));
  });

  test("when our own stands in the list under another address", () => {
    const rows = [row("10.0.0.1", 50_000), row("10.0.0.7", 41_001)];
    expect(attribute(seen([socket(41_001)], { rows }))).toEqual(unknown("translated", true));
  });

  test("when our own has no address", () => {
    expect(attribute(seen([socket(41_001)], { ourselves: null }))).toEqual(unknown("translated", null));
  });

  test("when it comes from a network of its own and is not listed by its address", () => {
    const behind = socket(41_001, { local: at("172.17.0.2", 41_001) });
    expect(attribute(seen([behind]))).toEqual(unknown("translated", true));
  });

  test("when its sockets cannot be read", () => {
    expect(attribute(seen([], { sockets: { kind: "unreadable" } }))).toEqual(
      unknown("sockets-unreadable", null),
    );
  });

  test.each([
    ["established", "established", true],
    ["connecting", "connecting", false],
    ["closed by the broker", "close-wait", false],
  ] as const)("when the broker shows no list and its socket is %s", (_, state, established) => {
    expect(attribute(seen([socket(41_001, { state })], { rows: null }))).toEqual(
      unknown("client-list-refused", established),
    );
  });
});

describe("attribute, when the sockets are those of its user,", () => {
  test("gives the rows when nobody else of that user is there", () => {
    expect(attribute(seen([], shared([socket(41_001)])))).toEqual({
      kind: "known",
      by: "address",
      closeWait: false,
      elsewhere: [],
      rows: [row("10.0.0.7", 41_001)],
    });
  });

  test("gives none of our own rows when we are that user", () => {
    const ours = [socket(50_000), socket(42_000)];
    const alsoOurs = [at("10.0.0.7", 42_000)];
    expect(attribute({ ...seen([], shared([...ours, socket(41_001)])), alsoOurs })).toMatchObject({
      kind: "known",
      rows: [row("10.0.0.7", 41_001)],
    });
    expect(attribute({ ...seen([], shared(ours)), alsoOurs })).toMatchObject({ kind: "none" });
  });

  test("does not know when another worker of that user is there", () => {
    expect(attribute(seen([], { ...shared([socket(41_001)]), alone: false }))).toEqual({
      kind: "unknown",
      because: "address-shared",
      established: true,
      elsewhere: [],
    });
  });

  test.each(["127.0.0.1", "127.0.1.1", "::1"])("does not know when the address is %s", (address) => {
    const remote = at(address, 6379);
    const ourselves = { local: at(address, 50_000), remote };
    const rows = [row(address, 50_000), row(address, 41_001)];
    const sockets = [socket(41_001, { local: at(address, 41_001), remote })];
    expect(attribute(seen([], { ...shared(sockets), ourselves, rows }))).toMatchObject({
      kind: "unknown",
      because: "address-shared",
      established: true,
    });
  });

  test("is missing when that user has no connection at all", () => {
    expect(attribute(seen([], { ...shared([]), alone: false }))).toMatchObject({ kind: "none" });
  });
});

const pop = (more: Partial<ClientRow> = {}) => row("10.0.0.7", 41_001, { command: "brpop", ...more });
const subscribed = row("10.0.0.7", 41_003, { command: "ping", subscriptions: 1, patterns: 1, idleS: 0 });

function recorded(name: string): readonly ClientRow[] {
  const file = join(import.meta.dirname, `../fixtures/client-list/${name}.txt`);
  return parseClientList(readFileSync(file, "utf8")) ?? [];
}

describe("polling", () => {
  test.each([
    ["polls", "a BRPOP waits", [pop({ flags: "b" })]],
    ["polls", "a BRPOP waits beside a dead one", [pop({ idleS: 600 }), pop({ id: 2, flags: "bx" })]],
    ["paused", "its BRPOP has ended", [pop({ flags: "N" })]],
    ["absent", "there is none", [subscribed, row("10.0.0.7", 41_004)]],
    ["absent", "another command waits", [row("10.0.0.7", 41_004, { command: "blpop", flags: "b" })]],
  ] as const)("is '%s' when %s", (expected, _, rows) => {
    expect(polling(rows)).toBe(expected);
  });

  test.each(["redis-7.0.15", "valkey-9.1.2"])(
    "tells idle from busy when a real worker is on %s",
    (server) => {
      expect(polling(recorded(`${server}-idle`))).toBe("polls");
      expect(polling(recorded(`${server}-busy`))).toBe("paused");
    },
  );
});

describe("reissued", () => {
  test.each([
    ["is silent", 5, 7, 2_000, false],
    ["is silent, and the second has just begun", 5, 6, 1_990, false],
    ["is silent, and the looks are near", 5, 5, 200, false],
    ["is silent, and the server counts a second more", 5, 8, 2_010, false],
    ["is younger", 5, 4, 200, true],
    ["is as old as before two seconds ago", 5, 5, 2_000, true],
    ["has started over", 5, 0, 2_000, true],
    ["is polled every second", 0, 0, 2_500, true],
  ])("judges rightly when a BRPOP %s", (_, before, after, elapsedMs, expected) => {
    expect(
      reissued([pop({ idleS: before })], [pop({ idleS: after, ageS: 9 + elapsedMs / 1_000 })], elapsedMs),
    ).toBe(expected);
  });

  test.each([
    ["waits, and did not", "N", 9, "b", 0, true],
    ["waits, and did not, both within a second", "N", 0, "b", 0, true],
    ["still waits", "b", 0, "b", 2, false],
    ["waits again", "b", 0, "b", 0, true],
    // Recorded from stopped workers: Redis answers the poll that was under way, which makes the row young.
    ["has ended", "b", 1, "N", 2, false],
    ["has ended, and that just now", "b", 1, "N", 0, false],
    ["has come and gone", "N", 5, "N", 0, true],
  ])("judges rightly when a BRPOP %s two seconds later", (_, then, idle, now, later, expected) => {
    const before = pop({ flags: then, idleS: idle });
    expect(reissued([before], [pop({ flags: now, idleS: later, ageS: 11 })], 2_250)).toBe(expected);
  });

  test("is so when a worker polls every second, wherever in its second the looks fall", () => {
    for (const then of [0, 1])
      for (const now of [0, 1]) {
        const before = pop({ flags: "b", idleS: then });
        expect(reissued([before], [pop({ flags: "b", idleS: now, ageS: 11 })], 2_250)).toBe(true);
      }
  });

  test("is so when the BRPOP stands on a new connection", () => {
    expect(reissued([pop({ id: 1 })], [pop({ id: 1, idleS: 9 }), pop({ id: 2, idleS: 9 })], 200)).toBe(true);
    expect(reissued([row("10.0.0.7", 1, { id: 1 })], [pop({ id: 1 })], 200)).toBe(true);
  });

  test.each<[string, Partial<ClientRow>, Partial<ClientRow>]>([
    ["back", { idleS: 700, ageS: 900 }, { idleS: 102, ageS: 302 }],
    ["back behind its last command", { idleS: 7 }, { idleS: null, ageS: null }],
    ["forward again", { idleS: null, ageS: null }, { idleS: 9, ageS: 11 }],
  ])("is not so when the server's clock was set %s between the looks", (_, then, now) => {
    expect(reissued([pop(then)], [pop(now)], 2_250)).toBe(false);
  });

  test("is not so when other commands are young or the BRPOP is gone", () => {
    const silent = pop({ idleS: 9 });
    expect(reissued([silent, row("a", 1, { idleS: 9 })], [silent, row("a", 1, { idleS: 0 })], 200)).toBe(
      false,
    );
    expect(reissued([silent], [], 200)).toBe(false);
  });
});

/** How old the worker's process is, in the tests of its silence. */
const HOUR_MS = 3_600_000;

describe("silentFor", () => {
  test("is the youngest when subscribed connections are left out", () => {
    const rows = [pop({ idleS: 9 }), row("10.0.0.7", 41_004, { idleS: 7 }), subscribed];
    expect(silentFor(rows, HOUR_MS)).toEqual({ atLeastS: 7, atMostS: 7 });
  });

  test("is null when no other connection is there", () => {
    expect(silentFor([subscribed], HOUR_MS)).toBeNull();
    expect(silentFor([], HOUR_MS)).toBeNull();
  });

  test("is the task's age when a solo worker has been busy", () => {
    // Recorded 6 s into the task, by a client that has a connection to database 3.
    const worker = recorded("redis-7.0.15-busy").filter(
      ({ address, db }) => address === "127.0.0.1" && db === 0,
    );
    expect(silentFor(worker, HOUR_MS)).toEqual({ atLeastS: 6, atMostS: 6 });
  });

  test.each<[string, Partial<ClientRow>, number, number, number]>([
    ["the process is younger than the silence", { idleS: 615, ageS: 620 }, 20, 17, 20],
    ["the clock was set forward since it connected", { idleS: 620, ageS: 7_797 }, 7_200, 25, 620],
    ["the clock was set back since it wrote", { idleS: null, ageS: 6_600 }, 7_200, 0, 7_200],
    ["the clock was set back since it connected", { idleS: 17, ageS: null }, 7_200, 0, 17],
    ["the clock was set back and put right", { idleS: 610, ageS: 30 }, 7_200, 30, 610],
    ["a connection seems older by the server's rounding", { idleS: 20, ageS: 21 }, 20.9, 20, 20],
  ])("lies between what is certain and what is possible when %s", (_, shown, processS, least, most) => {
    const rows = [pop(shown), subscribed];
    expect(silentFor(rows, processS * 1_000)).toEqual({ atLeastS: least, atMostS: most });
  });
});

test("pausedFor looks at nothing but the connections to fetch by", () => {
  const rows = [pop({ idleS: 70, ageS: 600 }), row("10.0.0.7", 41_004, { idleS: 1 })];
  expect(pausedFor(rows, HOUR_MS)).toEqual({ atLeastS: 70, atMostS: 70 });
  expect(pausedFor(rows.slice(1), HOUR_MS)).toBeNull();
});

test("databases are those consumed from or listened in when others are used too", () => {
  const rows = [
    pop({ db: 2 }),
    { ...subscribed, db: 1 },
    { ...subscribed, db: 2 },
    row("10.0.0.7", 1, { db: 9 }),
  ];
  expect(databases(rows)).toEqual([1, 2]);
  expect(databases([])).toEqual([]);
});
