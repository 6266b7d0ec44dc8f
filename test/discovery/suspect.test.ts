import { expect, test } from "vitest";
import type { ClientRow } from "../../src/broker/client-list.ts";
import { type Clients, sight } from "../../src/discovery/suspect.ts";
import { candidatesIn } from "../../src/worker/candidates.ts";
import { socketTables } from "../../src/worker/sockets.ts";
import { row } from "../health/seen.ts";
import { fakeProc } from "../worker/fake-proc.ts";

const BROKER = { address: "10.0.0.9", port: 6379 };
const OURS = { local: { address: "10.0.0.7", port: 50_001 }, remote: BROKER };

const hex = (address: string) =>
  address
    .split(".")
    .reverse()
    .map((byte) => Number(byte).toString(16).padStart(2, "0").toUpperCase())
    .join("");
const end = (address: string, port: number) =>
  `${hex(address)}:${port.toString(16).padStart(4, "0").toUpperCase()}`;

/** A socket from this port of ours: to the broker and established where nothing else is said. */
const socket = (port: number, to = BROKER, state = "01") =>
  `   0: ${end("10.0.0.7", port)} ${end(to.address, to.port)} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${port} 1 0 100 0 0 10 0\n`;
const LISTENING = socket(8_000, { address: "0.0.0.0", port: 0 }, "0A");

const ours = row({ address: "10.0.0.7", port: 50_001, command: "client|list" });
const pop = (port: number, more: Partial<ClientRow> = {}) =>
  row({ address: "10.0.0.7", port, command: "brpop", ...more });
const ear = (port: number) => row({ address: "10.0.0.7", port, command: "psubscribe", subscriptions: 1 });
const result = (port: number) =>
  row({ address: "10.0.0.7", port, command: "subscribe", subscriptions: 1, patterns: 0 });
const get = (port: number) => row({ address: "10.0.0.7", port, command: "get" });

interface Seen {
  readonly sockets: string;
  readonly rows: readonly ClientRow[] | null;
  readonly clients?: Partial<Clients>;
  /** Whether its descriptors may be read. */
  readonly isOpen?: boolean;
}

function shown({ sockets, rows, clients = {}, isOpen = true }: Seen) {
  const ports = [...sockets.matchAll(/ (\d+) 1 0 100/g)].map(([, inode]) => `socket:[${inode}]`);
  const proc = fakeProc(
    [{ pid: 12, words: ["python", "run.py"], startTicks: 90_000, descriptors: isOpen ? ports : null }],
    { "/proc/12/net/tcp": `head\n${sockets}`, "/proc/uptime": "1000.00 0.00\n" },
  );
  const list: Clients = {
    rows: rows === null ? null : [ours, ...rows],
    ourselves: OURS,
    alsoOurs: [],
    hasName: false,
    ...clients,
  };
  const [seen] = sight(proc, candidatesIn(proc, []), list, socketTables(proc));
  return seen;
}

const TWO = socket(50_010) + socket(50_011);
const elsewhere = { address: "10.0.0.8", port: 6379 };

test.each<[string, Seen]>([
  ["worker", { sockets: TWO, rows: [pop(50_010, { ageS: 20 }), ear(50_011)] }],
  // The process has run for a hundred seconds.
  ["heir", { sockets: TWO, rows: [pop(50_010, { ageS: 500 }), ear(50_011)] }],
  ["fetcher", { sockets: TWO, rows: [pop(50_010, { ageS: 20 }), get(50_011)] }],
  // A client that waits for a result, and has inspected workers once.
  ["fetcher", { sockets: TWO, rows: [pop(50_010, { ageS: 20 }), result(50_011)] }],
  ["listener", { sockets: TWO, rows: [get(50_010), ear(50_011)] }],
  ["client", { sockets: TWO, rows: [get(50_010), result(50_011)] }],
  ["client", { sockets: socket(50_010) + LISTENING, rows: [get(50_010)] }],
  ["stranger", { sockets: "", rows: [] }],
  ["stranger", { sockets: socket(50_010, elsewhere), rows: [] }],
  ["hidden", { sockets: socket(50_010, elsewhere), rows: [], clients: { hasName: true } }],
  ["client", { sockets: socket(50_010, elsewhere), rows: [get(50_010)], clients: { hasName: true } }],
  ["hidden", { sockets: TWO, rows: null }],
  ["stranger", { sockets: "", rows: null }],
  ["hidden", { sockets: TWO, rows: [], clients: { rows: [get(1)] } }],
  ["stranger", { sockets: "", rows: [], clients: { rows: [get(1)] } }],
  ["hidden", { sockets: socket(50_010, BROKER, "08"), rows: [] }],
  ["hidden", { sockets: TWO, rows: [] }],
  ["hidden", { sockets: TWO, rows: [pop(50_010), ear(50_011)], isOpen: false }],
  ["hidden", { sockets: "", rows: [row({ address: "", port: 0, command: "brpop" })] }],
])("a program shows itself as %s by its sockets and the broker's list: %j", (shows, seen) => {
  expect(shown(seen)?.shows).toBe(shows);
});

test("a program publishes when it did a moment ago, and serves when it waits for connections", () => {
  const publishing = (idleS: number) =>
    shown({ sockets: TWO, rows: [pop(50_010), row({ address: "10.0.0.7", port: 50_011, idleS })] })
      ?.publishes;
  expect(publishing(1)).toBe(true);
  expect(publishing(9)).toBe(false);
  expect(shown({ sockets: TWO, rows: null })?.publishes).toBeNull();
  expect(shown({ sockets: LISTENING, rows: [] })?.serves).toBe(true);
  expect(shown({ sockets: TWO, rows: [] })?.serves).toBe(false);
});
