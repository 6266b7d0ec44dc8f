import { expect, test } from "vitest";
import type { Channel } from "../../src/broker/channel.ts";
import { DEFAULT_NAMING } from "../../src/broker/keys.ts";
import { askServer } from "../../src/discovery/ask-server.ts";
import { success } from "../../src/outcome.ts";
import { fakeHost } from "../health/fake-host.ts";

const SERVER = { address: "10.0.0.9", port: 6379 };
const OWN = { address: "10.0.0.7", port: 40_000 };

/** A server that lists one connection of the process, as Redis does. */
function listing(fields: string): Channel {
  const row = `id=1 addr=10.0.0.7:40000 fd=8 name= age=9 idle=0 flags=N multi=-1 ${fields}\n`;
  return {
    send: (commands) =>
      Promise.resolve(
        success(commands.map(([name]) => ({ ok: true as const, value: name === "CLIENT" ? row : 0 }))),
      ),
    transact: () => Promise.reject(new Error("nothing is written")),
    ends: () => ({ local: { address: "10.0.0.5", port: 1 }, remote: SERVER }),
    close: () => undefined,
  };
}

test.each([
  ["listens by patterns, as kombu does", "db=2 sub=0 psub=1 cmd=psubscribe", "works"],
  ["pops from a list, as a task may too", "db=2 sub=0 psub=0 cmd=brpop", "fetches"],
  [
    "listens by channels, as clients of a cache and of results do",
    "db=2 sub=1 psub=0 cmd=subscribe",
    "other",
  ],
  ["publishes", "db=2 sub=0 psub=0 cmd=publish", "publishes"],
])("of a server where the process %s", async (_, fields, role) => {
  const host = { ...fakeHost({}), connect: () => Promise.resolve(success(listing(fields))) };
  const question = {
    target: { place: { kind: "tcp", host: SERVER.address, port: SERVER.port }, db: 0, tls: null },
    server: SERVER,
    ends: [OWN],
    databases: [0],
    naming: DEFAULT_NAMING,
  } as const;
  expect(await askServer(question, host, 300)).toMatchObject({ kind: "open", role, databases: [2] });
});
