import { describe, expect, test } from "vitest";
import { serversInUse } from "../../src/discovery/servers-in-use.ts";
import { socketTables } from "../../src/worker/sockets.ts";
import { fakeProc } from "../worker/fake-proc.ts";

const ESTABLISHED = "01";
const CONNECTING = "02";
const CLOSE_WAIT = "08";
const LISTENING = "0A";

type Socket = readonly [local: number, host: number, remote: number, state: string];

/** Sockets of 10.0.0.7 to hosts of that network. */
function inUse(...sockets: readonly Socket[]) {
  const hex = (number: number, digits: number) => number.toString(16).toUpperCase().padStart(digits, "0");
  const lines = sockets.map(([local, host, remote, state], at) => {
    const address = host === 0 ? "00000000" : `${hex(host, 2)}00000A`;
    const ends = `0700000A:${hex(local, 4)} ${address}:${hex(remote, 4)}`;
    return `   ${at}: ${ends} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${900 + at} 1`;
  });
  const process = { pid: 12, words: ["celery"], descriptors: sockets.map((_, at) => `socket:[${900 + at}]`) };
  const proc = fakeProc([process], { "/proc/12/net/tcp": `  sl  local_address\n${lines.join("\n")}\n` });
  const { servers, lost, kind } = serversInUse(proc, 12, socketTables(proc));
  const names = (list: typeof servers) =>
    list.map(({ address, port, connections }) => `${address}:${port} ${connections}`);
  return { kind, servers: names(servers), lost: names(lost) };
}

describe("the servers that a process may have for its broker", () => {
  test("are Redis' ports first, then the servers with most connections", () => {
    expect(
      inUse(
        [41_001, 1, 7_000, ESTABLISHED],
        [41_002, 2, 7_001, ESTABLISHED],
        [41_003, 2, 7_001, ESTABLISHED],
        [41_004, 3, 6379, ESTABLISHED],
      ),
    ).toEqual({ kind: "own", servers: ["10.0.0.3:6379 1", "10.0.0.2:7001 2", "10.0.0.1:7000 1"], lost: [] });
  });

  test("leave out other servers' ports, and its own clients", () => {
    expect(
      inUse(
        [41_001, 1, 5432, ESTABLISHED],
        [41_002, 1, 5432, ESTABLISHED],
        [41_003, 1, 11_211, ESTABLISHED],
        [8_000, 0, 0, LISTENING],
        [8_000, 2, 51_000, ESTABLISHED],
      ).servers,
    ).toEqual([]);
  });

  test("are lost where it connects, or was disconnected and has not noticed", () => {
    expect(
      inUse(
        [41_001, 1, 6379, CONNECTING],
        [41_002, 2, 7_001, CLOSE_WAIT],
        [41_003, 2, 7_001, CLOSE_WAIT],
        [41_004, 3, 7_002, CLOSE_WAIT],
      ),
    ).toEqual({ kind: "own", servers: [], lost: ["10.0.0.1:6379 1", "10.0.0.2:7001 2"] });
  });

  test("are six at most", () => {
    const many = Array.from({ length: 9 }, (_, at) => [41_000 + at, 1 + at, 7_000, ESTABLISHED] as const);
    expect(inUse(...many).servers).toHaveLength(6);
  });
});
