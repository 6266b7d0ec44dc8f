import { describe, expect, test } from "vitest";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { type Sockets, socketsOf, socketTables } from "../../src/worker/sockets.ts";
import { fakeProc } from "./fake-proc.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n";
const row = (local: string, remote: string, state: string, uid: number, inode: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 20 4 30 10 -1                     \n`;

/** Redis' port 6379 is 18EB. */
const TCP =
  HEAD +
  row("0100007F:18EB", "00000000:0000", "0A", 999, 500) +
  row("0100007F:B9A8", "0100007F:18EB", "01", 1000, 501) +
  row("0200010A:B9A9", "0900010A:18EB", "08", 1000, 502) +
  row("0200010A:B9AA", "0900010A:18EB", "02", 1000, 503) +
  row("0200010A:B9AB", "0900010A:18EB", "01", 999, 504) +
  row("0200010A:B9AC", "0900010A:18EB", "06", 1000, 0);

const proc = (descriptors: readonly string[] | null, tcp: string | null = TCP) =>
  fakeProc([{ pid: 20, uid: 1000, descriptors }], tcp === null ? {} : { "/proc/20/net/tcp": tcp });
const show = (found: Sockets) =>
  found.kind === "unreadable" || found.kind === "too-many"
    ? []
    : found.sockets.map(
        ({ local, remote, state }) =>
          `${local.address}:${local.port} → ${remote.address}:${remote.port} ${state}`,
      );

describe("socketsOf", () => {
  test("gives the sockets that a process holds when its descriptors can be read", () => {
    const found = socketsOf(
      proc([
        "/dev/null",
        "socket:[501]",
        "pipe:[502]",
        "socket:[503]",
        "socket:[9999]",
        "anon_inode:[eventpoll]",
      ]),
      20,
    );
    expect(found.kind).toBe("own");
    expect(show(found)).toEqual([
      "127.0.0.1:47528 → 127.0.0.1:6379 established",
      "10.1.0.2:47530 → 10.1.0.9:6379 connecting",
    ]);
  });

  test("gives none when a process holds none", () => {
    expect(socketsOf(proc(["/dev/null"]), 20)).toEqual({ kind: "own", sockets: [] });
  });

  test("gives its user's sockets when its descriptors may not be listed", () => {
    const found = socketsOf(proc(null), 20);
    expect(found.kind).toBe("shared");
    expect(show(found)).toEqual([
      "127.0.0.1:47528 → 127.0.0.1:6379 established",
      "10.1.0.2:47529 → 10.1.0.9:6379 close-wait",
      "10.1.0.2:47530 → 10.1.0.9:6379 connecting",
    ]);
  });

  test("gives its user's sockets when its descriptors may be listed and not read", () => {
    const refusing: ProcFiles = {
      ...proc(["socket:[501]"]),
      link: () => ({ ok: false, problem: "forbidden" }),
    };
    expect(socketsOf(refusing, 20).kind).toBe("shared");
  });

  test("goes on when a descriptor is closed meanwhile", () => {
    const closing: ProcFiles = { ...proc(["socket:[501]"]), link: () => ({ ok: false, problem: "gone" }) };
    expect(socketsOf(closing, 20)).toEqual({ kind: "own", sockets: [] });
  });

  test("is unreadable when there is no table or no process", () => {
    expect(socketsOf(proc(["socket:[501]"], null), 20)).toEqual({ kind: "unreadable" });
    const hidden = fakeProc([], { "/proc/20/net/tcp": TCP });
    expect(socketsOf(hidden, 20)).toEqual({ kind: "unreadable" });
  });

  test("leaves a line out when it is not of the form it should be", () => {
    const damaged = `${HEAD}garbage\n   0: 0100007F:B9A8 0100007F 01 0 0 0 1000 0 501\n   1: 0100007F:B9A8 0100007F:18EB\n`;
    expect(socketsOf(proc(["socket:[501]"], damaged), 20)).toEqual({ kind: "own", sockets: [] });
  });

  test("leaves a line out when it ends before its user", () => {
    const damaged = `${HEAD}   1: 0100007F:B9A8 0100007F:18EB 01\n`;
    const ofRoot = fakeProc([{ pid: 20, uid: 0, descriptors: null }], { "/proc/20/net/tcp": damaged });
    expect(socketsOf(ofRoot, 20)).toEqual({ kind: "shared", sockets: [] });
  });

  // The texts are those of glibc's inet_ntop.
  test.each([
    ["00000000000000000000000001000000", "::1"],
    ["00000000000000000000000000000000", "::"],
    ["0000000000000000FFFF00000200010A", "10.1.0.2"],
    ["0000000000000000000000000200010A", "::10.1.0.2"],
    ["B80D0120000000000000000001000000", "2001:db8::1"],
    ["B80D0120000001000000000001000000", "2001:db8:1::1"],
    ["B80D0120000000000000010001000000", "2001:db8::1:0:0:1"],
    ["B80D0120010000000100000001000000", "2001:db8:0:1:0:1:0:1"],
    ["000080FE00000000FF005450B6AD1DFE", "fe80::5054:ff:fe1d:adb6"],
    ["B80D012000000000010000000000FF00", "2001:db8::1:ff:0"],
    ["B80D0120010002000300040005000600", "2001:db8:2:1:4:3:6:5"],
    ["B80D0120000000000000000000000000", "2001:db8::"],
  ])("writes an IPv6 address as Redis does when it is %s: %s", (hex, address) => {
    const table = HEAD + row(`${hex}:B9A8`, `${hex}:18EB`, "01", 1000, 501);
    const found = socketsOf(
      fakeProc([{ pid: 20, descriptors: ["socket:[501]"] }], { "/proc/20/net/tcp6": table }),
      20,
    );
    expect(show(found)).toEqual([`${address}:47528 → ${address}:6379 established`]);
  });
});

test("reads the sockets of a network namespace once for all its processes", () => {
  const pids = [20, 21, 22, 23];
  const several = fakeProc(
    pids.map((pid) => ({ pid, descriptors: ["socket:[501]"], network: pid < 23 ? "net:[1]" : "net:[2]" })),
    Object.fromEntries(pids.map((pid) => [`/proc/${pid}/net/tcp`, pid < 23 ? TCP : HEAD])),
  );
  const tables = socketTables(several);
  expect(pids.map((pid) => show(socketsOf(several, pid, tables)).length)).toEqual([1, 1, 1, 0]);
  expect(several.reads.filter((path) => path.endsWith("/tcp"))).toEqual([
    "/proc/20/net/tcp",
    "/proc/23/net/tcp",
  ]);
});

describe("with 54,000 sockets in the network", () => {
  const workers = Array.from({ length: 8 }, (_, at) => 20 + at);
  const address = (at: number) => `${(at % 256).toString(16).toUpperCase().padStart(2, "0")}00010A`;
  const rows = Array.from({ length: 54_000 }, (_, at) =>
    row(`${address(at)}:B9A8`, "0900010A:18EB", "01", 1000, 1_000 + at),
  );
  const table = HEAD + rows.join("");
  const crowded = (descriptors: readonly string[] | null) =>
    fakeProc(
      workers.map((pid) => ({ pid, descriptors, network: "net:[1]" })),
      Object.fromEntries(workers.map((pid) => [`/proc/${pid}/net/tcp`, table])),
    );

  test("reads their table once when a look sees eight workers, and takes its sockets only", () => {
    const several = crowded(["socket:[1007]", "socket:[54999]"]);
    const before = process.threadCpuUsage();
    const tables = socketTables(several);
    const found = workers.map((pid) => socketsOf(several, pid, tables));
    const { user, system } = process.threadCpuUsage(before);
    expect(several.reads.filter((path) => path.endsWith("/tcp"))).toHaveLength(1);
    expect(found.map(show)).toEqual(
      workers.map(() => [
        "10.1.0.7:47528 → 10.1.0.9:6379 established",
        "10.1.0.239:47528 → 10.1.0.9:6379 established",
      ]),
    );
    // In microseconds; to take every line apart for each of them took 2 s.
    expect(user + system).toBeLessThan(500_000);
  });

  test("gives up when they are more than are read, or the time is over, and says so", () => {
    const several = crowded(["socket:[1007]"]);
    expect(
      socketsOf(
        several,
        20,
        socketTables(several, () => 0),
      ),
    ).toEqual({ kind: "too-many" });
    const huge: ProcFiles = {
      ...several,
      read: (path, goesOn) =>
        goesOn?.(33 * 1024 * 1024) === false ? { ok: false, problem: "cut" } : several.read(path),
    };
    expect(socketsOf(huge, 20)).toEqual({ kind: "too-many" });
  });
});
