import { readFileSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { certificates, type ServerCertificate } from "../world/certificates.ts";
import { startSentinels } from "../world/sentinel.ts";
import { type Server, startServer } from "../world/server.ts";
import { EMBEDDED } from "../world/server-binary.ts";

/** How the brokers of the test world behave, observed without the probe. Tests on one of them rely on this. */

interface Shown {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly host?: string;
}

/** PING from a client that verifies certificates: the answer, or the code of the error. */
async function pingOverTls(port: number, shown: Shown = {}): Promise<string> {
  const { ca, certificate, key, passphrase } = shown;
  const socket = connectTls({
    host: shown.host ?? "localhost",
    port,
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(certificate === undefined ? {} : { cert: readFileSync(certificate) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  return new Promise((done) => {
    socket.once("secureConnect", () => socket.write("PING\r\n"));
    socket.once("data", (data: Buffer) => {
      done(data.toString());
      socket.destroy();
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      done(error.code ?? error.message);
    });
    socket.once("close", () => {
      done("closed");
    });
  });
}

describe("a server with TLS", () => {
  test.concurrent.each<[ServerCertificate, string]>([
    ["good", "+PONG\r\n"],
    ["expired", "CERT_HAS_EXPIRED"],
    ["otherHost", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["selfSigned", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ])("is told by who verifies when its certificate is '%s'", async (certificate, answer) => {
    const { ca } = await certificates();
    await using server = await startServer({ tls: { certificate } });
    expect(server.url(3)).toBe(`rediss://127.0.0.1:${server.port}/3`);
    expect(await pingOverTls(server.port, { ca })).toBe(answer);
    expect(await server.client().ping()).toBe("PONG");
  });

  test.concurrent(
    "is trusted only with its authority, and by address if its certificate has the address",
    async () => {
      const { ca } = await certificates();
      await using server = await startServer({ tls: {} });
      expect(await pingOverTls(server.port)).toBe("SELF_SIGNED_CERT_IN_CHAIN");
      expect(await pingOverTls(server.port, { ca, host: "127.0.0.1" })).toBe("+PONG\r\n");
    },
  );

  test.concurrent("asks clients for a certificate if configured", async () => {
    const { ca, client, server: servers } = await certificates();
    await using demanding = await startServer({ tls: { clients: "yes" } });
    await using asking = await startServer({ tls: { clients: "optional" } });
    const encrypted = { ca, certificate: client.certificate, key: client.encryptedKey };
    expect(await pingOverTls(demanding.port, { ca, ...client })).toBe("+PONG\r\n");
    const opened = { ...encrypted, passphrase: client.passphrase };
    expect(await pingOverTls(demanding.port, opened)).toBe("+PONG\r\n");
    await expect(pingOverTls(demanding.port, { ...encrypted, passphrase: "wrong" })).rejects.toThrow();
    expect(await pingOverTls(demanding.port, { ca })).toBe("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED");
    expect(await pingOverTls(asking.port, { ca })).toBe("+PONG\r\n");
    const stranger = await pingOverTls(asking.port, { ca, ...servers.selfSigned });
    expect(stranger).toMatch(/ALERT/);
  });

  test.concurrent("answers without TLS on another port if configured", async () => {
    await using server = await startServer({ tls: { alsoPlain: true }, password: "p@ss" });
    expect(server.plainUrl(1)).toMatch(/^redis:\/\/:p%40ss@127\.0\.0\.1:\d+\/1$/);
    const plain = new Redis(server.plainUrl(1));
    expect(await plain.info("server")).toContain(`process_id:${server.pid}\r`);
    plain.disconnect();
    expect(await server.client().ping()).toBe("PONG");
  });
});

describe("a server with a socket", () => {
  test.concurrent.each([
    ["as well as a port", []],
    ["and no port", ["--port", "0"]],
  ])("answers on it when it has one %s", async (_, args) => {
    await using server = await startServer({ socket: true, password: "p@ss", args });
    expect(server.socketUrl(2)).toBe(`redis+socket://:p%40ss@${server.socketPath}?virtual_host=2`);
    const list = String(await server.client(2).call("CLIENT", "LIST"));
    expect(list).toContain(`laddr=${server.socketPath}:0`);
  });
});

test.concurrent.each([
  ["path", /^(redis|valkey)_version:/m],
  ["valkey", /^valkey_version:9\./m],
  ["redis-6.2", /^redis_version:6\.2\./m],
] as const)("a server of flavour '%s' is what it says", async (flavour, version) => {
  await using server = await startServer({ flavour });
  expect(await server.client().info("server")).toMatch(version);
});

test.concurrent("a user of a server may do only what it was allowed to", async () => {
  await using server = await startServer({ password: "of the default user" });
  const user = { username: "bob", password: "p:w" };
  await server.addUser(user, "~queue", "+lpush");
  expect(server.url(0, user)).toBe(`redis://bob:p%3Aw@127.0.0.1:${server.port}/0`);
  const redis = server.client(0, { ...user, enableReadyCheck: false });
  expect(await redis.lpush("queue", "x")).toBe(1);
  await expect(redis.lpush("other", "x")).rejects.toThrow("NOPERM");
  await expect(redis.get("queue")).rejects.toThrow("NOPERM");
});

describe("Sentinels", () => {
  test.concurrent.each([
    ["TLS", { tls: { clients: "yes" } }] as const,
    ...EMBEDDED.map(([name, flavour]) => [name, { flavour }] as const),
  ])("replace a master when they have %s", async (_, options) => {
    await using sentinels = await startSentinels(options);
    const first = await sentinels.master();
    const redis = sentinels.client(2);
    // Replication is asynchronous, and any replica may become the master. Writes that it has not acknowledged may be
    // lost.
    const keepOn = async (master: Server) => {
      const direct = master.client(2);
      await direct.set("key", "kept");
      expect(await direct.wait(2, 30_000)).toBe(2);
      direct.disconnect();
    };
    await keepOn(first);
    const second = await sentinels.failover();
    expect(await sentinels.master()).toBe(second);
    expect(second).not.toBe(first);
    expect(await redis.get("key")).toBe("kept");
    await keepOn(second);
    const third = await sentinels.killMaster();
    expect(second.isRunning).toBe(false);
    expect(third).not.toBe(second);
    expect(await redis.get("key")).toBe("kept");
    expect(await third.client(2).get("key")).toBe("kept");
  });

  test.concurrent("replace the master of one name when they watch two", async () => {
    await using sentinels = await startSentinels({ masters: ["one", "two"], password: "p@ss" });
    const [first, second, third] = sentinels.sentinels.map(({ port }) => `sentinel://127.0.0.1:${port}`);
    expect(sentinels.url(1)).toBe(`${first?.replace("//", "//:p%40ss@")}/1;${second};${third}`);
    const [one, two] = [await sentinels.master("one"), await sentinels.master("two")];
    expect(await sentinels.failover("two")).not.toBe(two);
    expect(await sentinels.master()).toBe(one);
  });
});
