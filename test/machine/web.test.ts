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
  const page = await web(`http://127.0.0.1:${port}/`, {}, 20_000);
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
