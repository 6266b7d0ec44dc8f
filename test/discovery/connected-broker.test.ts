import { expect, test } from "vitest";
import type { Channel } from "../../src/broker/channel.ts";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import type { BrokerTarget } from "../../src/broker/url.ts";
import { parse, TAKEN_BY_CHECK } from "../../src/cli/parse.ts";
import { findConnectedBroker } from "../../src/discovery/connected-broker.ts";
import type { Host } from "../../src/host.ts";
import { failure, success } from "../../src/outcome.ts";
import { fakeHost, ok, OURS } from "../health/fake-host.ts";
import { listing, POLLING, procWith, WORKER } from "../health/fake-worker.ts";

const PASSWORD = "hunter2";

/** A server that speaks TLS only and wants a password. Each connection to it takes so long, in milliseconds. */
function closedServer(tookMs: number): Host {
  const environment = `REDIS_PASSWORD=${PASSWORD}\0`;
  const proc = procWith([{ ...WORKER, environment, connections: POLLING.length }]);
  const host = fakeHost({ proc: () => proc });
  const tell = listing(() => POLLING);
  const answer = ({ tls, password }: BrokerTarget): BrokerFailure | null => {
    if (tls === null) return { kind: "unreachable", cause: "only-tls", detail: "" };
    if (password === PASSWORD) return null;
    return { kind: "refused", cause: "password-needed", detail: "NOAUTH", command: "AUTH" };
  };
  const channel: Channel = {
    send: (commands) => Promise.resolve(success(commands.map((command) => ok(tell(command, host.now()))))),
    transact: () => Promise.reject(new Error("nothing is written")),
    ends: () => OURS,
    close: () => undefined,
  };
  return {
    ...host,
    async connect(target, withinMs) {
      await host.pause(Math.min(tookMs, withinMs));
      const refused = answer(target);
      if (tookMs > withinMs) return failure({ kind: "unreachable", cause: "connect-timeout", detail: "" });
      return refused === null ? success(channel) : failure(refused);
    },
  };
}

async function found(tookMs: number, leftMs: number) {
  const parsed = parse([], {}, TAKEN_BY_CHECK);
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  const { broker } = await findConnectedBroker([12], parsed.value.config, closedServer(tookMs), leftMs);
  if (broker?.url.broker.kind !== "servers") throw new Error(JSON.stringify(broker));
  const [{ tls, password }] = broker.url.broker.servers;
  return { isTls: tls !== null, password };
}

test.each([
  ["each connection takes as long as it may", 900, 10_000],
  // Whoever asks the workers connects once more.
  ["the time is up before the password was tried", 900, 3_000],
])("a server that wants TLS and a password is told both when %s", async (_, tookMs, leftMs) => {
  expect(await found(tookMs, leftMs)).toEqual({ isTls: true, password: PASSWORD });
});
