import { describe, expect, test } from "vitest";
import type { Command, Reply } from "../../src/broker/channel.ts";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import { DEFAULT_NAMING } from "../../src/broker/keys.ts";
import { takeTurns, type WireCommand } from "../../src/broker/turns.ts";
import type { FleetVerdict, FleetView } from "../../src/fleet/fleet-view.ts";
import { failure, success } from "../../src/outcome.ts";
import { startSharing } from "../../src/serve/share.ts";
import type { Session } from "../../src/session/session.ts";
import { fakeHost } from "../health/fake-host.ts";
import { ALIVE, AT_S, fleet, HUNG, LOST, NO_ROUND, node, outage } from "./fleet.ts";

const KEY = "celery-probe.verdicts./0.celery.pidbox";
const EVERY_MS = 30_000;
/** The broker's clock, which is another than ours. */
const BROKER_S = 1_700_000_000;

/** A sharing on a broker that executes what it is told, unless something is refused. */
function sharing() {
  const host = fakeHost({ hostname: "mon-1" });
  const state = {
    view: fleet([]),
    refused: null as string | null,
    isAway: false,
    isBroken: false,
    slowMs: 0,
  };
  /** A connection that has broken is of no use any more: the collector makes a new one. */
  const connect = () =>
    takeTurns(async (commands) => {
      if (state.slowMs > 0) await host.pause(state.slowMs);
      return state.isBroken ? failure(lost) : success(executed(commands));
    }, host.now);
  const transactions: (readonly WireCommand[])[] = [];
  const told: (string | null)[] = [];
  const answer = (command: WireCommand): Reply => {
    const [name] = command;
    if (name === state.refused) return { ok: false, error: `NOPERM no permissions to run '${name}'` };
    if (name === "TIME") return { ok: true, value: [String(BROKER_S), "0"] };
    return { ok: true, value: name === "MULTI" ? "OK" : "QUEUED" };
  };
  const lost: BrokerFailure = { kind: "unreachable", cause: "connection-lost", detail: "ECONNRESET" };
  const executed = (commands: readonly WireCommand[]): readonly Reply[] => {
    const replies = commands.map(answer);
    if (commands.at(-1)?.[0] !== "EXEC") return replies;
    const isRefused = replies.some(({ ok }) => !ok);
    if (!isRefused) transactions.push(commands.slice(0, -1));
    const results = { ok: true, value: commands.slice(1).map(() => 1) } as const;
    const aborted = { ok: false, error: "EXECABORT Transaction discarded" } as const;
    return [...replies.slice(0, -1), isRefused ? aborted : results];
  };
  const session = (channel = connect()) => ({
    plan: { naming: DEFAULT_NAMING },
    read: { target: { db: 0 } },
    transact: (before: readonly Command[], queue: Parameters<Session["transact"]>[1]) =>
      channel.transact(before, queue, () => 1_000),
  });
  let look: () => void = () => undefined;
  const source = {
    view: () => state.view,
    session: () => (state.isAway ? null : (session() as unknown as Session)),
    onView(listener: () => void) {
      look = listener;
      return () => undefined;
    },
  };
  startSharing(source, host, EVERY_MS, (problem) => told.push(problem?.detail ?? null));
  return {
    state,
    told,
    /** A look that ends `afterMs` later with this view; what was written. */
    looked: async (view: FleetView, afterMs = 2_000) => {
      await host.pause(afterMs);
      state.view = view;
      transactions.length = 0;
      look();
      await new Promise(setImmediate);
      if (state.slowMs > 0) await host.pause(3 * state.slowMs);
      return transactions.flat();
    },
  };
}

const text = (verdict: FleetVerdict, agedS: number) =>
  JSON.stringify({
    schema: 1,
    status: verdict.status,
    reason: verdict.reason,
    at_ms: (BROKER_S - agedS) * 1_000,
    host: "mon-1",
    version: "0.0.0",
  });
const EXPIRE = ["EXPIRE", KEY, 120];

describe("verdicts", () => {
  test("are all written once an interval, in place of what was there, by the broker's clock", async () => {
    const { looked, told } = sharing();
    const view = fleet([node("a@x"), node("b@x", HUNG, { lastEvidenceS: AT_S - 400 })]);
    const all = [["DEL", KEY], ["HSET", KEY, "a@x", text(ALIVE, 2), "b@x", text(HUNG, 0)], EXPIRE];
    expect(await looked(view)).toEqual(all);
    expect(await looked(view)).toEqual([]);
    expect(await looked(view, EVERY_MS - 2_001)).toEqual([]);
    expect(await looked(view)).toEqual(all);
    expect(told).toEqual([null, null]);
  });

  test("that change are written at once, and those of forgotten nodes removed", async () => {
    const { looked } = sharing();
    await looked(fleet([node("a@x"), node("b@x"), node("c@x")]));
    expect(await looked(fleet([node("a@x", HUNG), node("b@x")]))).toEqual([
      ["HSET", KEY, "a@x", text(HUNG, 0)],
      ["HDEL", KEY, "c@x"],
      EXPIRE,
    ]);
    expect(await looked(fleet([node("a@x", HUNG), node("b@x")]))).toEqual([]);
  });

  test("are older by the time that a slow broker took to say what time it is", async () => {
    const { looked, state } = sharing();
    state.slowMs = 500;
    const [, whole] = await looked(fleet([node("a@x")]));
    expect(whole).toEqual(["HSET", KEY, "a@x", text(ALIVE, 2.5)]);
  });

  test.each([
    ["that are unknown", node("b@x", LOST)],
    ["of a name that two workers share", node("b@x", ALIVE, { copies: 2 })],
  ])("%s are not shared, and no older one stays", async (_, changed) => {
    const { looked } = sharing();
    await looked(fleet([node("a@x"), node("b@x")]));
    expect(await looked(fleet([node("a@x"), changed]))).toEqual([["HDEL", KEY, "b@x"], EXPIRE]);
    const [, ...whole] = await looked(fleet([node("a@x"), changed]), EVERY_MS);
    expect(whole).toEqual([["HSET", KEY, "a@x", text(ALIVE, 2)], EXPIRE]);
  });

  test("of 5,000 nodes are one transaction of ten commands of 500", async () => {
    const { looked } = sharing();
    const written = await looked(fleet(Array.from({ length: 5_000 }, (_, n) => node(`w${n}@x`))));
    expect(written.map(([name, , ...fields]) => [name, fields.length])).toEqual([
      ["DEL", 0],
      ...Array.from({ length: 10 }, () => ["HSET", 1_000]),
      ["EXPIRE", 1],
    ]);
    const bytes = written.flat().reduce<number>((sum, word) => sum + String(word).length, 0);
    expect(bytes).toBeLessThan(1_000_000);
  });

  test.each([
    ["before the first round is done", fleet([node("a@x")], { rounds: NO_ROUND })],
    ["while the broker is in trouble", outage([node("a@x")])],
  ])("are not written %s", async (_, view) => {
    expect(await sharing().looked(view)).toEqual([]);
  });

  test("are all written again when the broker has been away", async () => {
    const { looked, state, told } = sharing();
    await looked(fleet([node("a@x"), node("b@x")]));
    const changed = fleet([node("a@x", HUNG), node("b@x")]);
    state.isAway = true;
    expect(await looked(changed)).toEqual([]);
    [state.isAway, state.isBroken] = [false, true];
    expect(await looked(changed)).toEqual([]);
    // Nobody knows what is left there.
    state.isBroken = false;
    const all = ["HSET", KEY, "a@x", text(HUNG, 0), "b@x", text(ALIVE, 2)];
    expect(await looked(changed)).toEqual([["DEL", KEY], all, EXPIRE]);
    // An outage is said by whoever watches.
    expect(told).toEqual([null, null]);
  });

  test.each(["TIME", "DEL", "HSET", "EXPIRE", "MULTI"])(
    "that %s keeps from being written are tried again an interval later, and it is told",
    async (refused) => {
      const { looked, state, told } = sharing();
      state.refused = refused;
      const view = fleet([node("a@x")]);
      expect(await looked(view)).toEqual([]);
      expect(told).toEqual([`NOPERM no permissions to run '${refused}'`]);
      expect(await looked(fleet([node("a@x", HUNG)]))).toEqual([]);
      expect(told).toHaveLength(1);
      state.refused = null;
      expect(await looked(view, EVERY_MS)).toHaveLength(3);
      expect(told.at(-1)).toBeNull();
    },
  );
});
