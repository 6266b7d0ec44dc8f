import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startCountingProxy } from "../../bench/counting-proxy.ts";
import { startServer } from "../world/server.ts";

test("the proxy counts bytes and commands of all connections", async () => {
  await using server = await startServer();
  await using proxy = await startCountingProxy(server.port);
  for (const [sent, received] of [
    ["*1\r\n$4\r\nPING\r\n", "+PONG\r\n"],
    ["*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", "$2\r\nhi\r\n"],
  ] as const) {
    const client = connect(proxy.port, "127.0.0.1");
    client.write(sent);
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.toString()).toBe(received);
    client.destroy();
  }
  expect(await proxy.traffic()).toEqual({
    sentBytes: 14 + 22,
    receivedBytes: 7 + 8,
    commands: ["PING", "ECHO"],
  });
});

test("the proxy says so when something else than Redis' protocol is sent", async () => {
  await using server = await startServer();
  await using proxy = await startCountingProxy(server.port);
  const client = connect(proxy.port, "127.0.0.1");
  client.write("PING\r\n");
  await once(client, "data");
  client.destroy();
  await expect(proxy.traffic()).rejects.toThrow("is no RESP");
});
