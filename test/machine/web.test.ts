import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { web } from "../../src/machine/web.ts";

const HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** What is read of a page that comes in these chunks, so many times over. */
async function fetched(chunk: string, times: number): Promise<string> {
  const framed = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(times);
  await using server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(`${HEAD}${framed}0\r\n\r\n`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const page = await web(`http://127.0.0.1:${port}/`, "", 20_000);
  if (!page.ok) throw new Error(page.problem);
  return page.value.body;
}

test("a page is whole when it comes in pieces of any size", async () => {
  expect(await fetched("0123456789", 30_000)).toBe("0123456789".repeat(30_000));
  expect(await fetched("x", 3)).toBe("xxx");
});

test("4 MB of a page are read when it has more", async () => {
  expect(await fetched("x".repeat(1_000_001), 6)).toHaveLength(4_000_000);
});

test("a page of a million bytes, one in each piece, takes no memory for each", async () => {
  const before = process.resourceUsage().maxRSS;
  expect(await fetched("x", 1_000_000)).toHaveLength(1_000_000);
  // In KiB; a buffer for each piece takes 130 MB.
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(90_000);
});

/** What comes of a server that says this, and then hangs up or stays. */
async function outcomeOf(said: string, isEnd: boolean, withinMs = 20_000) {
  await using server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => (isEnd ? socket.end(said) : socket.write(said)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return await web(`http://127.0.0.1:${port}/`, "", withinMs);
}

const UPGRADE = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello";

test.each([
  ["changes the protocol and stays", UPGRADE, false],
  ["changes the protocol and hangs up", UPGRADE, true],
  ["changes the protocol and names none", "HTTP/1.1 101 Switching Protocols\r\n\r\n", true],
])("a server that %s has answered 101", async (_, said, isEnd) => {
  expect(await outcomeOf(said, isEnd)).toMatchObject({ ok: true, value: { status: 101, body: "" } });
});

test.each([
  ["promises a page", "HTTP/1.1 100 Continue\r\n\r\n"],
  ["says nothing", ""],
  ["stops in the head", "HTTP/1.1 200 OK\r\nX-"],
  ["stops in the page", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxxx"],
])("a server that %s and hangs up, or goes no further, ends the wait", async (_, said) => {
  expect(await outcomeOf(said, true)).toMatchObject({ ok: false });
  expect(await outcomeOf(said, false, 100)).toStrictEqual({ ok: false, problem: "no answer in time" });
});
