import { describe, expect, test } from "vitest";
import type { Reply } from "../../src/broker/channel.ts";
import { gather } from "../../src/health/check.ts";
import { conclude } from "../../src/health/judge.ts";
import { encodeShared } from "../../src/health/shared-verdict.ts";
import type { FakeProcess } from "../worker/fake-proc.ts";
import { type Broker, brokerWith, fakeHost, ok, reply } from "./fake-host.ts";
import { procWith, WORKER } from "./fake-worker.ts";
import { planned } from "./planned.ts";

const NODE = "celery@web-1";
const KEY = "celery-probe.verdicts./0.celery.pidbox";
/** By the broker's clock. */
const NOW_S = 1_800_000_000;

const shared = (agedS: number, status: "healthy" | "unhealthy" = "healthy", reason = "alive") =>
  encodeShared({ status, reason, atMs: (NOW_S - agedS) * 1_000, host: "mon-1", version: "0.9.0" });

type Fields = Readonly<Record<string, Reply>>;

/** A broker with these fields, on which the worker answers each ping. */
function brokerHaving(fields: Fields, time: Reply = ok([String(NOW_S), "0"])): Broker {
  return (commands, at) =>
    commands[0]?.[0] === "TIME"
      ? commands.map(([name, , node]) => (name === "TIME" ? time : (fields[String(node)] ?? ok(null))))
      : brokerWith(1, () => [1, 2].map((n) => reply(NODE, `uuid-${n}`)))(commands, at);
}

const AFAR = ["--placement=remote", `--node=${NODE}`];

interface Case {
  readonly argv?: readonly string[];
  readonly processes?: readonly FakeProcess[];
  readonly time?: Reply;
  readonly broker?: Broker;
}

async function checked(
  fields: Fields,
  { argv = AFAR, processes = [], time, broker = brokerHaving(fields, time) }: Case = {},
) {
  const host = fakeHost({
    argv: ["--accept-shared=45s", ...argv],
    broker,
    ...(processes.length === 0 ? {} : { proc: () => procWith(processes) }),
  });
  const plan = planned(host);
  const evidence = await gather(plan, host);
  const sent = host.writes.flat().map(([name]) => name);
  return {
    evidence,
    verdict: conclude(evidence, plan.rules),
    because: evidence.notTaken?.because ?? "taken",
    sent,
    writes: host.writes,
    isAsked: sent.includes("PUBLISH"),
  };
}

describe("a verdict that is taken", () => {
  test("costs one write, and nothing is published", async () => {
    const { verdict, writes, evidence } = await checked({ [NODE]: ok(shared(12)) });
    expect(writes).toEqual([[["TIME"], ["HGET", KEY, NODE]], [["closed"]]]);
    const life = { node: NODE, ageS: 12, host: "mon-1", version: "0.9.0" };
    expect(verdict).toEqual({ status: "healthy", reason: "alive", pongs: [], shared: [life] });
    expect(evidence).toMatchObject({ asking: { kind: "shared", via: { db: 0 } }, notTaken: null });
  });

  test("is looked for under the names that the options give the key", async () => {
    const argv = [...AFAR, "--broker=redis://x/3", "--global-keyprefix=gp:", "--control-exchange=ctl"];
    const { writes } = await checked({ [NODE]: ok(shared(12)) }, { argv });
    expect(writes[0]?.[1]?.[1]).toBe("gp:celery-probe.verdicts./3.ctl.pidbox");
  });

  test("is that of each node that was named", async () => {
    const argv = ["--placement=remote", `--node=${NODE},b@x`];
    const both = await checked({ [NODE]: ok(shared(12)), "b@x": ok(shared(3)) }, { argv });
    expect(both.isAsked).toBe(false);
    expect(both.verdict).toMatchObject({ shared: [{ node: NODE }, { node: "b@x" }] });
    const one = await checked({ [NODE]: ok(shared(12)) }, { argv });
    expect(one).toMatchObject({ isAsked: true, evidence: { notTaken: { because: "missing", node: "b@x" } } });
  });

  test("leaves what is noted in a state file, of which it tells nothing", async () => {
    const host = fakeHost({
      argv: ["--accept-shared=45s", "--state-file=/s", ...AFAR],
      broker: brokerHaving({ [NODE]: ok(shared(12)) }),
    });
    await gather(planned(host), host);
    expect(host.written).toEqual([]);
  });
});

test.each<[what: string, field: Reply, because: string]>([
  ["none", ok(null), "missing"],
  ["as old as may be", ok(shared(45)), "taken"],
  ["older", ok(shared(45.001)), "old"],
  ["a little ahead, as of a broker that has taken over", ok(shared(-1)), "taken"],
  ["of the future", ok(shared(-1.001)), "damaged"],
  ["no JSON", ok("healthy"), "damaged"],
  ["no text", ok(7), "damaged"],
  ["busy, which is seen better from here", ok(shared(1, "healthy", "busy")), "not-alive"],
  ["hung, which is seen better from here", ok(shared(1, "unhealthy", "hung")), "not-alive"],
  ["gone", ok(shared(1, "unhealthy", "gone")), "not-alive"],
  ["refused", { ok: false, error: "NOPERM no permissions for HGET" }, "refused"],
  ["of another type", { ok: false, error: "WRONGTYPE Operation against a key" }, "refused"],
])("a field that is %s: %s", async (_, field, expected) => {
  const { because, isAsked, verdict } = await checked({ [NODE]: field });
  expect([because, isAsked]).toEqual([expected, expected !== "taken"]);
  expect(verdict).toMatchObject({ reason: "alive" });
});

test.each<[what: string, time: Reply]>([
  ["is refused", { ok: false, error: "NOPERM" }],
  ["is none", ok("OK")],
])("the worker is asked where the time %s", async (_, time) => {
  expect(await checked({ [NODE]: ok(shared(12)) }, { time })).toMatchObject({
    because: "refused",
    isAsked: true,
  });
});

describe("the worker's own process is looked at first", () => {
  const fields = { [NODE]: ok(shared(12)) };
  test.each<[what: string, argv: readonly string[], processes: readonly FakeProcess[], because: string]>([
    ["runs", [], [WORKER], "taken"],
    ["is stopped", [], [{ ...WORKER, state: "T" }], "process"],
    ["is a zombie", [], [{ ...WORKER, state: "Z" }], "process"],
    ["is held by a debugger", [], [{ ...WORKER, state: "t" }], "process"],
    ["is missing where it should be", ["--placement=inside"], [{ pid: 1, words: ["init"] }], "process"],
    ["is missing where its PID namespace should be shared", ["--placement=beside"], [], "process"],
    ["is younger than what is said of it", [], [{ ...WORKER, startTicks: 99_000 }], "earlier-process"],
  ])("%s", async (_, argv, processes, expected) => {
    const { because, sent } = await checked(fields, { argv, processes });
    expect(because).toBe(expected);
    // Nothing is even read where the process has to be looked at.
    expect(sent.includes("HGET")).toBe(expected !== "process");
  });
});

describe("a broker", () => {
  test("that breaks over the field is connected to again, and the worker is asked", async () => {
    let reads = 0;
    const broker: Broker = (commands, at) => {
      if (commands[0]?.[0] !== "TIME") return brokerHaving({})(commands, at);
      reads += 1;
      return { kind: "refused", cause: "too-large", command: "HGET", detail: "a reply of 99 bytes" };
    };
    const { because, isAsked, verdict } = await checked({}, { broker });
    expect([reads, because, isAsked, verdict.reason]).toEqual([1, "refused", true, "alive"]);
  });

  test("that does not answer is what is said, and nobody waits for it twice", async () => {
    const { verdict, sent } = await checked({}, { broker: () => "late" });
    expect(verdict).toMatchObject({ reason: "broker-unreachable", failure: { cause: "no-answer" } });
    expect(sent).toEqual(["TIME", "HGET", "closed"]);
  });
});
