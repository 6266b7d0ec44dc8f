import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { BOUNDS } from "../../src/broker/bounds.ts";
import { bytesBeforeCut } from "../../src/broker/cut-text.ts";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import { connect } from "../../src/broker/redis.ts";
import type { BrokerTarget } from "../../src/broker/url.ts";
import type { Command } from "../../src/broker/channel.ts";
import { openMailbox } from "../../src/pidbox/mailbox.ts";
import {
  HANG_UP,
  MACHINE,
  onLoopback,
  SILENCE,
  type ScriptedServer,
  scriptedServer,
  wellBehaved,
} from "./scripted-server.ts";

const ROUTE = { channel: "/0.celery.pidbox", lists: ["k.reply.celery.pidbox"] };

function target(server: ScriptedServer, more: Partial<BrokerTarget> = {}): BrokerTarget {
  return { place: onLoopback(server.port), db: 0, tls: null, ...more };
}

async function opened(place: BrokerTarget) {
  const channel = await connect(place, 1_000, MACHINE);
  if (!channel.ok) throw new Error(JSON.stringify(channel.problem));
  return channel.value;
}

/** Publishes a ping and gives the failure that the broker made of it. */
async function failureOf(server: ScriptedServer, more: Partial<BrokerTarget> = {}): Promise<BrokerFailure> {
  const channel = await opened(target(server, more));
  const patience = { now: () => performance.now(), pause: () => Promise.resolve(), answerMs: () => 200 };
  const sent = await openMailbox({ requests: channel, replies: channel, db: 0 }, 32, patience).publish(
    ROUTE,
    "message",
  );
  channel.close();
  if (sent.ok) throw new Error("the broker refused nothing");
  return sent.problem;
}

const names = ({ received }: ScriptedServer) => received.map(([name]) => name);

describe("connect", () => {
  test("says connection-refused when nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    server.close();
    await once(server, "close");
    expect(await connect({ place: onLoopback(port), db: 0, tls: null }, 1_000, MACHINE)).toEqual({
      ok: false,
      problem: { kind: "unreachable", cause: "connection-refused", detail: "ECONNREFUSED" },
    });
  });

  test("says name-not-found when the host has no address", async () => {
    const opening = await connect(
      { place: { kind: "tcp", host: "no-such-host.invalid", port: 6379 }, db: 0, tls: null },
      5_000,
      MACHINE,
    );
    expect(opening).toMatchObject({ ok: false, problem: { kind: "unreachable", cause: "name-not-found" } });
  });
});

describe("the first commands", () => {
  test("carry AUTH and SELECT in front when the URL has them", async () => {
    await using server = await scriptedServer(wellBehaved);
    const channel = await opened(target(server, { username: "app", password: "pw", db: 3 }));
    const commands: Command[] = [["TYPE", "k"], ["PING"]];
    expect(await channel.send(commands, 500)).toEqual({
      ok: true,
      value: [
        { ok: true, value: "none" },
        { ok: true, value: "OK" },
      ],
    });
    expect(server.received).toEqual([["AUTH", "app", "pw"], ["SELECT", "3"], ["TYPE", "k"], ["PING"]]);
    channel.close();
  });

  test.each([
    [{ password: "pw" }, ["AUTH", "pw"]],
    [{ username: "app" }, ["AUTH", "app", ""]],
  ])("sign in as redis-py does when the URL has %j", async (credentials, auth) => {
    await using server = await scriptedServer(wellBehaved);
    const channel = await opened(target(server, credentials));
    await channel.send([["PING"]], 500);
    expect(server.received).toEqual([auth, ["PING"]]);
    channel.close();
  });

  test.each([
    [
      "repeats what it does not know",
      "-ERR unknown command 'AUTH', with args beginning with: 'hunter2' \r\n",
    ],
    ["says it in other words", "-ERR AUTH hunter2 is wrong\r\n"],
    ["echoes", "+AUTH hunter2\r\n"],
    ["greets with it and is no Redis", "hunter2\r\n"],
  ])("give no password away when the server %s", async (_, reply) => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === "AUTH" ? reply : wellBehaved(received, inTransaction),
    );
    const failure = await failureOf(server, { password: "hunter2" });
    expect(failure.kind).toBe("refused");
    expect(JSON.stringify(failure)).not.toContain("hunter2");
  });

  test("leave a refusal its cause when the password is a part of its code", async () => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === "RPUSH" ? "-OOM command not allowed.\r\n" : wellBehaved(received, inTransaction),
    );
    expect(await failureOf(server, { password: "OO" })).toMatchObject({ cause: "out-of-memory" });
  });

  test("are not preceded by anything when the URL has neither password nor database", async () => {
    await using server = await scriptedServer(wellBehaved);
    const channel = await opened(target(server));
    await channel.send([["PING"]], 500);
    await channel.send([["ROLE"]], 500);
    expect(names(server)).toEqual(["PING", "ROLE"]);
    channel.close();
  });
});

describe("a broker that refuses", () => {
  const refusals = [
    ["AUTH", "-WRONGPASS invalid username-password pair or user is disabled.", "wrong-password"],
    ["AUTH", "-ERR invalid password", "wrong-password"],
    ["AUTH", "-ERR Client sent AUTH, but no password is set", "password-not-wanted"],
    ["SELECT", "-ERR DB index is out of range", "no-such-database"],
    ["SELECT", "-ERR SELECT is not allowed in cluster mode", "cluster"],
    ["TYPE", "-NOAUTH Authentication required.", "password-needed"],
    ["TYPE", "-LOADING Redis is loading the dataset in memory", "loading"],
    ["TYPE", "-NOPERM User app has no permissions to run the 'type' command", "no-permission"],
    ["TYPE", "-DENIED Redis is running in protected mode", "protected-mode"],
    [
      "TYPE",
      "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
      "script",
    ],
    ["TYPE", "-ERR max number of clients reached", "too-many-clients"],
    ["TYPE", "-MASTERDOWN Link with MASTER is down", "cannot-write"],
    ["TYPE", "+string", "wrong-type"],
    ["TYPE", "+OK Dovecot ready.", "not-redis"],
    ["MULTI", "-NOPERM User app has no permissions to run the 'multi' command", "no-permission"],
    ["MULTI", "-ERR unknown command 'MULTI', with args beginning with: ", "no-transactions"],
    ["MULTI", "+PONG", "not-redis"],
    ["RPUSH", "-OOM command not allowed when used memory > 'maxmemory'.", "out-of-memory"],
    ["RPUSH", "-READONLY You can't write against a read only replica.", "read-only"],
    ["RPUSH", "-MISCONF Redis is configured to save RDB snapshots", "cannot-write"],
    ["RPUSH", "-NOREPLICAS Not enough good replicas to write.", "cannot-write"],
    ["RPUSH", "-MOVED 866 127.0.0.1:7001", "cluster"],
    ["LTRIM", "-NOPERM this user has no permissions to run the 'ltrim' command", "no-permission"],
    ["EXPIRE", "-ERR unknown command 'EXPIRE'", "other"],
    ["PUBLISH", "-NOPERM No permissions to access a channel", "no-permission"],
    ["PUBLISH", "+OK", "not-redis"],
    ["EXEC", "-NOPERM User app has no permissions to run the 'exec' command", "no-permission"],
    ["EXEC", "*-1", "not-redis"],
    ["EXEC", "*5\r\n:1\r\n+OK\r\n:1\r\n-WRONGTYPE x\r\n:1", "not-redis"],
  ] as const;

  test.each(refusals)("%s with %j is %s", async (command, reply, cause) => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === command ? `${reply}\r\n` : wellBehaved(received, inTransaction),
    );
    const failure = await failureOf(server, { password: "pw", db: 1 });
    expect(failure).toMatchObject({ kind: "refused", cause });
    expect(failure.detail).not.toBe("");
  });

  test.each([
    ["TYPE", ["TYPE", "MULTI", "EXEC"]],
    ["MULTI", ["TYPE", "MULTI"]],
  ])("is sent nothing that it would execute when %s is refused", async (command, sent) => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === command ? "-ERR no\r\n" : wellBehaved(received, inTransaction),
    );
    await failureOf(server);
    expect(names(server)).toEqual(sent);
  });

  test("is sent nothing more when the key holds something else", async () => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === "TYPE" ? "+hash\r\n" : wellBehaved(received, inTransaction),
    );
    expect(await failureOf(server)).toEqual({
      kind: "refused",
      cause: "wrong-type",
      command: "TYPE",
      detail: "k.reply.celery.pidbox is a hash",
    });
    expect(names(server)).not.toContain("PUBLISH");
  });

  test("is not sent MULTI's companions before it has acknowledged MULTI", async () => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === "MULTI" ? SILENCE : wellBehaved(received, inTransaction),
    );
    await failureOf(server);
    expect(names(server)).toEqual(["TYPE", "MULTI"]);
  });
});

describe("another server", () => {
  test.each([
    ["a web server", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["memcached", "ERROR\r\n"],
    ["a TLS server", "\x15\x03\x03\x00\x02\x02\x0a"],
  ])("is not-redis when %s answers", async (_, reply) => {
    await using server = await scriptedServer(() => reply);
    expect(await failureOf(server)).toMatchObject({ kind: "refused", cause: "not-redis" });
  });

  test.each([
    ["an SSH server", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a mail server", "220 mail.example ESMTP\r\n"],
  ])("is not-redis when %s greets", async (_, greeting) => {
    await using server = await scriptedServer(() => SILENCE, greeting);
    expect(await failureOf(server)).toMatchObject({ kind: "refused", cause: "not-redis" });
  });

  test("is no-answer when it says nothing", async () => {
    await using server = await scriptedServer(() => SILENCE);
    const start = performance.now();
    expect(await failureOf(server)).toEqual({ kind: "unreachable", cause: "no-answer", detail: "200 ms" });
    expect(performance.now() - start).toBeLessThan(400);
  });

  test.each(["TYPE", "MULTI", "EXEC"])("is connection-lost when it hangs up at %s", async (command) => {
    await using server = await scriptedServer((received, inTransaction) =>
      received[0] === command ? HANG_UP : wellBehaved(received, inTransaction),
    );
    expect(await failureOf(server)).toMatchObject({ kind: "unreachable", cause: "connection-lost" });
    expect(names(server).filter((name) => name === "PUBLISH").length).toBeLessThanOrEqual(1);
  });

  test("is refused by its own words when it greets with them and hangs up", async () => {
    const words = "-DENIED Redis is running in protected mode because protected mode is enabled\r\n";
    await using server = await scriptedServer(() => HANG_UP, words);
    expect(await failureOf(server)).toMatchObject({ kind: "refused", cause: "protected-mode" });
  });
});

describe("a server that sends what nobody asked for, or more than is read,", () => {
  test.each([
    ["nothing as a text", "$-1\r\n"],
    ["nothing as a list", "*-1\r\n"],
    ["a message", "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"],
  ])("is not-redis when it adds %s to its reply", async (_, more) => {
    await using server = await scriptedServer(() => `+PONG\r\n${more}`);
    const channel = await opened(target(server));
    expect(await channel.send([["PING"]], 500)).toEqual({ ok: true, value: [{ ok: true, value: "PONG" }] });
    await expect.poll(() => channel.ends()).toBeNull();
    expect(await channel.send([["PING"]], 500)).toMatchObject({ problem: { cause: "not-redis" } });
    channel.close();
  });

  test.each([
    ["a text of 100 MB", "$104857600\r\n"],
    ["ten million elements", "*10000000\r\n"],
    ["lists 10,000 deep", "*1\r\n".repeat(10_000)],
    ["a length of 30 digits", `$${"9".repeat(30)}\r\n`],
  ])("fails at once when it announces %s", async (_, reply) => {
    await using server = await scriptedServer(() => reply);
    const channel = await opened(target(server));
    const start = performance.now();
    const sent = await channel.send([["SMEMBERS", "k"]], 2_000);
    expect(sent).toMatchObject({ problem: { kind: "refused", command: "SMEMBERS" } });
    expect(performance.now() - start).toBeLessThan(500);
    channel.close();
  });

  test("gives both ends of a list's element of more than 4 MB, and goes on", async () => {
    const long = `begin${"x".repeat(BOUNDS.elementBytes)}end`;
    await using server = await scriptedServer(([name]) =>
      name === "LRANGE" ? `*2\r\n$${long.length}\r\n${long}\r\n$1\r\na\r\n` : "+PONG\r\n",
    );
    const channel = await opened(target(server));
    const sent = await channel.send([["LRANGE", "k", 0, 1], ["PING"]], 5_000);
    const [range, pong] = sent.ok ? sent.value : [];
    const [cut, other] = range?.ok ? (range.value as readonly string[]) : [];
    expect([cut?.slice(0, 5), cut?.slice(-3), other]).toEqual(["begin", "end", "a"]);
    expect(bytesBeforeCut(cut ?? "")).toBe(long.length);
    expect(pong).toEqual({ ok: true, value: "PONG" });
    channel.close();
  });

  test("passes on the largest text that is read, whole", async () => {
    const text = "x".repeat(BOUNDS.clientListBytes);
    await using server = await scriptedServer(() => `$${text.length}\r\n${text}\r\n`);
    const channel = await opened(target(server));
    const sent = await channel.send([["CLIENT", "LIST"]], 5_000);
    expect(sent.ok && sent.value[0]?.ok && sent.value[0].value === text).toBe(true);
    channel.close();
  });
});

describe("a mailbox", () => {
  const patience = { now: () => performance.now(), pause: () => Promise.resolve(), answerMs: () => 200 };
  /** As a Redis in good order, whose EXEC ends so many preparations of a list, and perhaps a PUBLISH. */
  const executing =
    (lists: number, publishes: number) => (command: readonly string[], inTransaction: boolean) => {
      const prepared = ":1\r\n+OK\r\n:1\r\n*1\r\n$0\r\n\r\n".repeat(lists);
      if (command[0] === "EXEC")
        return `*${4 * lists + publishes}\r\n${prepared}${":1\r\n".repeat(publishes)}`;
      if (command[0] === "PUBLISH" && !inTransaction) return ":1\r\n";
      return wellBehaved(command, inTransaction);
    };

  test("prepares the list where replies come, and publishes where workers hear, when these are two", async () => {
    await using requests = await scriptedServer(executing(0, 1));
    await using replies = await scriptedServer(executing(1, 0));
    const ends = { requests: await opened(target(requests)), replies: await opened(target(replies)) };
    const lines = { ...ends, db: 0 };
    const sent = await openMailbox(lines, 32, patience).publish(ROUTE, "message");
    expect(sent).toEqual({ ok: true, value: 1 });
    expect(names(requests)).toEqual(["PUBLISH"]);
    expect(names(replies)).toEqual(["TYPE", "MULTI", "LTRIM", "RPUSH", "EXPIRE", "LRANGE", "EXEC"]);
    for (const channel of Object.values(ends)) channel.close();
  });

  test("publishes nothing where the broker of the replies refuses, when these are two", async () => {
    await using requests = await scriptedServer(wellBehaved);
    await using replies = await scriptedServer((command, inTransaction) =>
      command[0] === "RPUSH" ? "-OOM command not allowed\r\n" : wellBehaved(command, inTransaction),
    );
    const ends = { requests: await opened(target(requests)), replies: await opened(target(replies)) };
    const lines = { ...ends, db: 0 };
    const sent = await openMailbox(lines, 32, patience).publish(ROUTE, "message");
    expect(sent).toMatchObject({ ok: false, problem: { cause: "out-of-memory" } });
    expect(names(requests)).toEqual([]);
    for (const channel of Object.values(ends)) channel.close();
  });

  test("prepares the list in every database when all databases share the channel", async () => {
    await using server = await scriptedServer((command, inTransaction) => {
      if (command[0] === "INFO") {
        const text = "# Keyspace\r\ndb0:keys=9,expires=0\r\ndb3:keys=1,expires=0\r\n";
        return `$${text.length}\r\n${text}\r\n`;
      }
      if (command[0] === "SELECT" && inTransaction) return "+QUEUED\r\n";
      return command[0] === "EXEC"
        ? "*10\r\n+OK\r\n:1\r\n+OK\r\n:1\r\n+OK\r\n:1\r\n+OK\r\n:1\r\n*1\r\n$0\r\n\r\n:2\r\n"
        : wellBehaved(command, inTransaction);
    });
    const channel = await opened(target(server));
    const mailbox = openMailbox({ requests: channel, replies: channel, db: 0 }, 32, patience);
    const route = { channel: "/app.celery.pidbox", lists: ["k"], ofAllDatabases: true } as const;
    expect(await mailbox.publish(route, "message")).toEqual({ ok: true, value: 2 });
    const preparing = ["LTRIM", "RPUSH", "EXPIRE"];
    const inDatabase3 = ["SELECT", ...preparing, "SELECT"];
    expect(names(server)).toEqual([
      ...["INFO", "TYPE", "MULTI"],
      ...inDatabase3,
      ...preparing,
      ...["LRANGE", "PUBLISH", "EXEC"],
    ]);
    channel.close();
  });

  test("prepares every list of a route in the one transaction", async () => {
    await using server = await scriptedServer(executing(2, 1));
    const channel = await opened(target(server));
    const mailbox = openMailbox({ requests: channel, replies: channel, db: 0 }, 32, patience);
    const route = { channel: "/0.celery.pidbox", lists: ["gp:k", "k"] };
    expect(await mailbox.publish(route, "message")).toEqual({ ok: true, value: 1 });
    const preparing = ["LTRIM", "RPUSH", "EXPIRE", "LRANGE"];
    expect(names(server)).toEqual(["TYPE", "TYPE", "MULTI", ...preparing, ...preparing, "PUBLISH", "EXEC"]);
    channel.close();
  });
});
