import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpServer } from "../../src/machine/http-server.ts";
import type { HttpAnswer, HttpListener, HttpRequest, HttpStream } from "../../src/machine/parts.ts";
import { got, opened, rest, said } from "../serve/raw-client.ts";

/** Larger than what kernels keep of a connection that nobody reads. */
const LARGE = Buffer.alloc(40_000_000, "x");

/** The clients run in this process too. */
const PATIENT = { timeout: 15_000 };

const streams: HttpStream[] = [];

function answer({ target, method }: HttpRequest): HttpAnswer {
  const of = (status: number, body: HttpAnswer["body"]) => ({ status, headers: {}, body });
  if (method === "POST") return of(405, Buffer.from("no"));
  if (target === "/large") return of(200, LARGE);
  if (target !== "/stream") return of(200, Buffer.from("well"));
  return of(200, (stream) => {
    streams.push(stream);
    stream.send(Buffer.from("first"));
    return () => streams.splice(streams.indexOf(stream), 1);
  });
}

let listener: HttpListener;
let port: number;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "http-"));
  const listening = await httpServer.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, null, answer);
  if (!listening.ok) throw new Error(listening.problem.detail);
  listener = listening.value;
  port = Number(/:(\d+)$/.exec(listener.shown)?.[1]);
});
afterAll(() => {
  listener.close();
  rmSync(folder, { recursive: true });
});

/** Connections to the server that are open on its side (proc_pid_net(5)). */
function connections(): number {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/self/net/tcp", "latin1")
    .split("\n")
    .map((row) => row.trim().split(/ +/));
  return rows.filter(([, local = "", , state]) => local.endsWith(end) && state === "01").length;
}

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

describe.concurrent("a client", () => {
  test.each<[what: string, bytes: string, status: string]>([
    ["speaks no HTTP", "\0\x01\x02\xff\r\n\r\n", "400"],
    ["speaks TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "400"],
    ["speaks HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"],
    ["names no host", "GET / HTTP/1.1\r\n\r\n", "400"],
    ["asks for a path of a megabyte", `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, "431"],
    ["sends 100,000 headers", `GET / HTTP/1.1\r\nHost: x\r\n${"a: b\r\n".repeat(100_000)}\r\n`, "431"],
    [
      "sends two lengths",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "400",
    ],
    ["sends a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", "405"],
    [
      "asks whether to send one",
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
      "405",
    ],
    ["sends a body without an end", `GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, "200"],
    [
      "asks for another protocol",
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: x\r\n\r\n",
      "200",
    ],
  ])("that %s gets one short answer, and the connection ends", async (_, bytes, status) => {
    const text = await said(port, bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text.length).toBeLessThan(400);
  });

  test("that speaks HTTP/0.9 and waits loses its connection", async () => {
    expect(await said(port, "GET /\r\n")).toMatch(/^(?:HTTP\/1\.1 408 .*\r\nConnection: close\r\n\r\n)?$/);
  });

  test("that asks for a tunnel gets none", async () => {
    expect(await said(port, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")).toBe("");
  });

  test("that pipelines requests is answered in order", async () => {
    const last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    expect((await said(port, `${GET.repeat(20)}${last}`)).match(/HTTP\/1\.1 200 /g)).toHaveLength(21);
  });

  test("that pipelines garbage loses its connection", async () => {
    const text = await said(port, `${GET.repeat(20)}\0garbage\r\n\r\n`.repeat(1_000));
    expect(text.length).toBeLessThan(4_000);
  });

  test("that ends its half of the connection is answered", async () => {
    const socket = await opened(port);
    socket.end(GET);
    expect(await rest(socket)).toMatch(/^HTTP\/1\.1 200 [^]*well$/);
  });

  test("that sends a head byte by byte, or none at all, loses its connection within 8 s", async () => {
    const slow = await opened(port);
    const silent = await opened(port);
    const typing = setInterval(() => slow.write("a"), 500);
    slow.write("GET /");
    const started = performance.now();
    const [said] = await Promise.all([rest(slow), rest(silent)]);
    clearInterval(typing);
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(said).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("that reads nothing of a large answer for 12 s gets no more of it than was under way", async () => {
    const socket = await opened(port);
    socket.pause();
    socket.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    await wait(12_000);
    const text = rest(socket);
    socket.resume();
    expect((await text).length).toBeLessThan(LARGE.length);
  });
});

test("the answer to a HEAD has the length and no body", async () => {
  const text = await said(port, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(text).toMatch(/\r\ncontent-length: 4\r\n[^]*\r\n\r\n$/i);
});

test("closes the connections that were idle longest when there are 70", async () => {
  const sockets = [];
  for (let number = 0; number < 64; number += 1) sockets.push(await opened(port));
  const [asking, ...idle] = sockets;
  asking?.write(GET);
  if (asking !== undefined) await once(asking, "data");
  // If nobody made room they would stay: a head has 5 s to arrive.
  const gone = Promise.race([Promise.all(idle.slice(0, 6).map(rest)), wait(4_000)]);
  for (let number = 0; number < 6; number += 1) sockets.push(await opened(port));
  expect(await gone).toHaveLength(6);
  expect([asking, ...idle.slice(6)].filter((socket) => socket?.readableEnded === true)).toEqual([]);
  for (const socket of sockets) socket.destroy();
});

test("64 connections are kept, probes are answered while others come by the thousand, and a stream goes on", async () => {
  const stream = await opened(port);
  stream.write("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  let heard = "";
  stream.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  await expect.poll(() => heard).toContain("first");
  const flood = Array.from({ length: 3_000 }, () => opened(port).catch(() => null));
  const probes: Promise<string>[] = [];
  for (let probe = 0; probe < 50; probe += 1) {
    probes.push(got(port, "/"));
    await wait(5);
  }
  for (const text of await Promise.all(probes)) expect(text).toContain("well");
  const sockets = (await Promise.all(flood)).filter((socket) => socket !== null);
  await expect.poll(connections, PATIENT).toBeLessThanOrEqual(64);
  streams[0]?.send(Buffer.from("second"));
  await expect.poll(() => heard).toContain("second");
  for (const socket of [...sockets, stream]) socket.destroy();
  await expect.poll(() => streams).toEqual([]);
});

test("a slow client of a stream gets the newest alone, once it reads again", async () => {
  const socket = await opened(port);
  socket.pause();
  socket.write("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  await expect.poll(() => streams.length).toBe(1);
  const [stream] = streams;
  stream?.send(LARGE);
  stream?.send(Buffer.from("older"));
  stream?.send(Buffer.from("newest"));
  expect(stream?.isBehind()).toBe(true);
  let last = "";
  socket.resume();
  socket.on("data", (chunk: Buffer) => (last = (last + chunk.toString("latin1")).slice(-100)));
  await expect.poll(() => last, PATIENT).toContain("newest");
  expect(last).not.toContain("older");
  socket.destroy();
});

describe("a socket in the file system", () => {
  const at = (path: string) => httpServer.listen({ kind: "socket", path }, null, answer);

  test("is listened on, and is gone at the end", async () => {
    const path = join(folder, "a.sock");
    const first = await at(path);
    if (!first.ok) throw new Error(first.problem.detail);
    expect(first.value.shown).toBe(`unix:${path}`);
    expect(await got(path, "/")).toContain("well");
    expect(await at(path)).toMatchObject({ ok: false, problem: { cause: "in-use" } });
    first.value.close();
    const again = await at(path);
    expect(again).toMatchObject({ ok: true });
    if (again.ok) again.value.close();
  });

  test("takes the place of one that a killed run has left, and of no other file", async () => {
    const path = join(folder, "left.sock");
    const dead = createServer().listen(path);
    await once(dead, "listening");
    // Node removes a socket when it is closed: by its other name it stays.
    const left = join(folder, "moved.sock");
    renameSync(path, left);
    dead.close();
    const taken = await at(left);
    expect(taken).toMatchObject({ ok: true });
    if (taken.ok) taken.value.close();
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(await at(file)).toMatchObject({ ok: false, problem: { cause: "occupied" } });
    symlinkSync(file, join(folder, "link"));
    expect(await at(join(folder, "link"))).toMatchObject({ ok: false, problem: { cause: "occupied" } });
    expect(await at(join(folder, "none/a.sock"))).toMatchObject({
      ok: false,
      problem: { cause: "no-folder" },
    });
  });
});

test.each([
  ["a port that is in use", "127.0.0.1", () => port, "in-use"],
  ["an address that is another machine's", "192.0.2.1", () => 0, "no-address"],
])("%s is said", async (_, host, of, cause) => {
  const listening = await httpServer.listen({ kind: "tcp", host, port: of() }, null, answer);
  expect(listening).toMatchObject({ ok: false, problem: { cause } });
});

test("a file that is not a certificate is named", async () => {
  const tls = { cert: "no certificate", key: "no key" };
  const listening = await httpServer.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, tls, answer);
  expect(listening).toMatchObject({ ok: false, problem: { cause: "tls" } });
});
