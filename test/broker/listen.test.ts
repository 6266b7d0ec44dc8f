import { once } from "node:events";
import { createServer } from "node:net";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseClientList } from "../../src/broker/client-list.ts";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import { connect, listen } from "../../src/broker/redis.ts";
import type { BrokerTarget } from "../../src/broker/url.ts";
import { type Server, startServer } from "../world/server.ts";
import { HANG_UP, MACHINE, onLoopback, SILENCE, scriptedServer } from "./scripted-server.ts";

const TOPICS = { broad: ["*.a", "*.b"], exact: ["/0.a", "/0.b"] };

/** Hears into a list; `until` resolves when it is that long. */
async function heard(target: BrokerTarget, withinMs = 1_000) {
  const messages: (readonly [string, string])[] = [];
  const waiting = new Set<() => void>();
  const listening = await listen(
    target,
    (channel, text) => {
      messages.push([channel, text]);
      for (const look of waiting) look();
    },
    TOPICS,
    withinMs,
    MACHINE,
  );
  if (!listening.ok) throw new Error(JSON.stringify(listening.problem));
  const listener = listening.value;
  onTestFinished(() => {
    listener.close();
  });
  const until = (count: number) =>
    new Promise<void>((done) => {
      const look = () => {
        if (messages.length >= count) done();
      };
      waiting.add(look);
      look();
    });
  return { listener, messages, until };
}

async function refusal(target: BrokerTarget, withinMs = 1_000): Promise<BrokerFailure> {
  const listening = await listen(target, () => undefined, TOPICS, withinMs, MACHINE);
  if (!listening.ok) return listening.problem;
  listening.value.close();
  throw new Error("the broker refused nothing");
}

describe("listen, on a real server,", () => {
  let server: Server;
  let redis: Redis;
  const target = (more: Partial<BrokerTarget> = {}): BrokerTarget => ({
    place: onLoopback(server.port),
    db: 0,
    tls: null,
    ...more,
  });
  const connections = async () => parseClientList(await redis.call("CLIENT", "LIST")) ?? [];

  beforeAll(async () => {
    server = await startServer();
    redis = server.client(0, { protocol: 2 });
    const user = (name: string, ...rules: string[]) => redis.call("ACL", "SETUSER", name, ...rules);
    await user("named", "on", ">pw", "allcommands", "allkeys", "resetchannels", "&/0.a", "&/0.b");
    await user("deaf", "on", ">pw", "allcommands", "allkeys", "resetchannels");
    await user("mute", "on", ">pw", "allcommands", "-psubscribe", "allchannels");
  }, 120_000);
  afterAll(() => server.stop());

  test("hears every channel of its patterns when they are permitted", async () => {
    const { messages, until } = await heard(target({ db: 3 }));
    expect(await redis.publish("gp:/7.a", "one")).toBe(1);
    await redis.publish("/0.c", "not meant");
    await redis.publish("/0.b", "zwei ✓");
    await until(2);
    expect(messages).toEqual([
      ["gp:/7.a", "one"],
      ["/0.b", "zwei ✓"],
    ]);
  });

  test.each(["named", "mute"])(
    "hears the channels by name when user '%s' may have no pattern",
    async (username) => {
      const { messages, until } = await heard(target({ username, password: "pw" }));
      await redis.publish("/1.a", "not meant");
      await redis.publish("/0.a", "one");
      await redis.publish("/0.b", "two");
      await until(2);
      expect(messages).toEqual([
        ["/0.a", "one"],
        ["/0.b", "two"],
      ]);
    },
  );

  test("says no-permission when neither is permitted", async () => {
    expect(await refusal(target({ username: "deaf", password: "pw" }))).toMatchObject({
      kind: "refused",
      cause: "no-permission",
      command: "SUBSCRIBE",
    });
  });

  test.each([
    [{ username: "named", password: "wrong" }, "wrong-password", "AUTH"],
    [{ db: 9999 }, "no-such-database", "SELECT"],
  ])("says what was refused when signing in with %j", async (more, cause, command) => {
    expect(await refusal(target(more))).toMatchObject({ kind: "refused", cause, command });
  });

  test("hears all when hundreds come at once", async () => {
    const { messages, until } = await heard(target());
    const pipeline = redis.pipeline();
    for (let index = 0; index < 5_000; index++) pipeline.publish("/0.a", String(index));
    await pipeline.exec();
    await until(5_000);
    expect(messages.map(([, text]) => text)).toEqual(
      Array.from({ length: 5_000 }, (_, index) => String(index)),
    );
  });

  test("hears no more when it is closed", async () => {
    const { listener } = await heard(target());
    listener.close();
    await expect.poll(() => redis.publish("/0.a", "too late")).toBe(0);
    expect(listener.ends()).toBeNull();
  });

  test("does not come back when its connection is cut", async () => {
    const { listener, messages } = await heard(target());
    const before = (await connections()).map(({ id }) => id);
    await redis.call("CLIENT", "KILL", "TYPE", "pubsub");
    await expect.poll(() => listener.ends()).toBeNull();
    // One more round trip of ours than a client that came back at once would need.
    await redis.ping();
    expect(await redis.publish("/0.a", "to nobody")).toBe(0);
    expect((await connections()).every(({ id }) => before.includes(id))).toBe(true);
    expect(messages).toEqual([]);
  });

  test("knows its ends as the server does when it asks", async () => {
    const channel = await connect(target(), 1_000, MACHINE);
    if (!channel.ok) throw new Error(JSON.stringify(channel.problem));
    const { listener } = await heard(target());
    const list = await channel.value.send([["CLIENT", "LIST"]], 1_000);
    const rows = parseClientList(list.ok && list.value[0]?.ok ? list.value[0].value : null) ?? [];
    const remote = { address: "127.0.0.1", port: server.port };
    for (const [ends, more] of [
      [channel.value.ends(), { command: "client|list", subscriptions: 0 }],
      [listener.ends(), { command: "psubscribe", subscriptions: 2 }],
    ] as const) {
      expect(ends?.remote).toEqual(remote);
      expect(rows.filter(({ port }) => port === ends?.local.port)).toMatchObject([
        { ...ends?.local, ...more },
      ]);
    }
    channel.value.close();
    await expect.poll(() => channel.value.ends()).toBeNull();
  });
});

/** Confirms subscriptions to `names` as Redis does. */
function confirmed([name = "", ...names]: readonly string[]): string {
  return names
    .map(
      (topic, index) =>
        `*3\r\n$${name.length}\r\n${name}\r\n$${topic.length}\r\n${topic}\r\n:${index + 1}\r\n`,
    )
    .join("");
}

describe("listen, on a server that does as told,", () => {
  const place = (port: number, more: Partial<BrokerTarget> = {}) => ({
    place: onLoopback(port),
    db: 0,
    tls: null,
    ...more,
  });

  test("sends nothing but sign-in and patterns when they are permitted", async () => {
    await using server = await scriptedServer((command) =>
      command[0] === "psubscribe" ? confirmed(command) : "+OK\r\n",
    );
    await heard(place(server.port, { username: "app", password: "pw", db: 3 }));
    expect(server.received).toEqual([
      ["AUTH", "app", "pw"],
      ["SELECT", "3"],
      ["psubscribe", "*.a", "*.b"],
    ]);
  });

  test("signs in once when patterns are not permitted and channels are", async () => {
    await using server = await scriptedServer((command) => {
      if (command[0] === "psubscribe") return "-NOPERM this user has no permissions to access a channel\r\n";
      return command[0] === "subscribe" ? confirmed(command) : "+OK\r\n";
    });
    await heard(place(server.port, { password: "pw" }));
    expect(server.received).toEqual([
      ["AUTH", "pw"],
      ["psubscribe", "*.a", "*.b"],
      ["subscribe", "/0.a", "/0.b"],
    ]);
  });

  test("does not try channels by name when patterns are refused for another reason", async () => {
    await using server = await scriptedServer(() => "-ERR unknown command 'psubscribe'\r\n");
    expect(await refusal(place(server.port))).toMatchObject({ cause: "other", command: "PSUBSCRIBE" });
    expect(server.received).toHaveLength(1);
  });

  test.each([
    ["nothing is said", SILENCE, { kind: "unreachable", cause: "no-answer", detail: "200 ms" }],
    ["one of two patterns is confirmed", confirmed(["psubscribe", "*.a"]), { cause: "no-answer" }],
    ["it hangs up", HANG_UP, { kind: "unreachable", cause: "connection-lost" }],
    ["a web server answers", "HTTP/1.1 400 Bad Request\r\n\r\n", { kind: "refused", cause: "not-redis" }],
    [
      "a server that wants a password answers",
      "-NOAUTH Authentication required.\r\n",
      { cause: "password-needed" },
    ],
    ["a server that loads answers", "-LOADING Redis is loading\r\n", { cause: "loading" }],
  ])("fails with a value when %s", async (_, reply, expected) => {
    await using server = await scriptedServer(() => reply);
    const start = performance.now();
    expect(await refusal(place(server.port), 200)).toMatchObject(expected);
    expect(performance.now() - start).toBeLessThan(400);
  });

  test.each([
    ["AUTH", "-ERR AUTH hunter2 is wrong\r\n"],
    ["AUTH", "+AUTH hunter2\r\n"],
    ["psubscribe", "-NOPERM hunter2 may not\r\n"],
    ["psubscribe", "hunter2\r\n"],
  ])("gives no password away when the reply to %s is %j", async (name, reply) => {
    await using server = await scriptedServer((command) => {
      if (command[0] === name || command[0] === "subscribe") return reply;
      return command[0] === "AUTH" ? "+OK\r\n" : "-NOAUTH Authentication required.\r\n";
    });
    const problem = await refusal(place(server.port, { password: "hunter2" }), 300);
    expect(problem.kind).toBe("refused");
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  test.each([
    ["nothing as a text", "$-1\r\n"],
    ["a message without its text", "*2\r\n$7\r\nmessage\r\n$1\r\na\r\n"],
    ["a message of a pattern without its channel", "*2\r\n$8\r\npmessage\r\n$1\r\na\r\n"],
    ["a message of nothing", "*4\r\n$8\r\npmessage\r\n$1\r\na\r\n$-1\r\n$-1\r\n"],
    ["a list of nothing", "*1\r\n$-1\r\n"],
    ["a number of no message", "*5000000\r\n"],
  ])("ends the connection, and throws nothing, when %s comes", async (_, more) => {
    await using server = await scriptedServer((command) => confirmed(command) + more);
    const { listener, messages } = await heard(place(server.port));
    await expect.poll(() => listener.ends()).toBeNull();
    expect(messages).toEqual([]);
  });

  test("hears what comes behind a message of 20 MB, which it does not keep", async () => {
    const long = "x".repeat(20_000_000);
    const heartbeat = "*3\r\n$7\r\nmessage\r\n$3\r\n*.a\r\n$2\r\n{}\r\n";
    await using server = await scriptedServer((command) =>
      command[0] === "psubscribe"
        ? `${confirmed(command)}${heartbeat.replace("$2\r\n{}", `$${long.length}\r\n${long}`)}${heartbeat}`
        : "",
    );
    const { listener, messages } = await heard(place(server.port));
    await expect.poll(() => messages.length).toBe(2);
    expect(JSON.stringify(messages).length).toBeLessThan(3_000);
    expect(listener.ends()).not.toBeNull();
    listener.close();
  });

  test("says connection-refused when nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    server.close();
    await once(server, "close");
    expect(await refusal(place(port))).toMatchObject({ kind: "unreachable", cause: "connection-refused" });
  });
});
