import { describe, expect, test } from "vitest";
import type { BrokerName, Evidence, NodeEvidence } from "../../src/health/evidence.ts";
import { judge } from "../../src/health/judge.ts";
import type { Connections } from "../../src/worker/connections.ts";
import { beating, evidence, looks, NODE, RULES, SILENCE } from "./seen.ts";

const OLD = { address: "10.0.0.9", port: 6379 };
const NAME: BrokerName = {
  name: "broker",
  port: 6379,
  addresses: ["10.0.0.12"],
  changes: false,
  isWorkersOwn: true,
  old: "left",
};

const none = (changed: Partial<Extract<Connections, { kind: "none" }>> = {}): Connections => ({
  kind: "none",
  closeWait: false,
  connecting: false,
  isAddressListed: false,
  elsewhere: [OLD],
  ...changed,
});

function said(one: Partial<NodeEvidence>, changed: Partial<Evidence>): string {
  const judged = judge(evidence({ looks: looks(none()), ...one }, { brokerName: NAME, ...changed }), RULES);
  if (judged.status === "open") return `open ${judged.wanted}`;
  return `${judged.status} ${judged.reason === "undecided" ? judged.gap.kind : judged.reason}`;
}

test("a worker whose broker's name leads elsewhere has been left behind when nothing of it is there", () => {
  expect(judge(evidence({ looks: looks(none()) }, { brokerName: NAME }), RULES)).toMatchObject({
    status: "unhealthy",
    reason: "disconnected",
    node: NODE,
    moved: { from: [OLD], to: ["10.0.0.12"] },
  });
});

describe("a worker that is connected elsewhere has not been left behind", () => {
  const dirty = looks(none()).map((look, position) =>
    position === 2 ? { ...look, connections: none({ isAddressListed: true }) } : look,
  );
  test.each<[string, Partial<NodeEvidence>, Partial<Evidence>]>([
    ["when its URL has an address and no name", {}, { brokerName: null }],
    ["when the name is not its own", {}, { brokerName: { ...NAME, isWorkersOwn: false } }],
    ["when the name leads to changing addresses", {}, { brokerName: { ...NAME, changes: true } }],
    [
      "when the name leads to its server too",
      {},
      { brokerName: { ...NAME, addresses: ["10.0.0.12", OLD.address] } },
    ],
    [
      "when its other server has another port",
      { looks: looks(none({ elsewhere: [{ ...OLD, port: 6380 }] })) },
      {},
    ],
    ["when others come to the old server too", {}, { brokerName: { ...NAME, old: "shared" } }],
    ["when the old server does not tell", {}, { brokerName: { ...NAME, old: "unknown" } }],
    ["when the server is young", {}, { brokerUpS: 59 }],
    ["when nobody knows how long the server has been up", {}, { brokerUpS: null }],
    ["when something comes from its address there", { looks: looks(none({ isAddressListed: true })) }, {}],
    ["when something does so in the last look", { looks: dirty }, {}],
    [
      "when nobody may listen there",
      {
        looks: looks(none()).map((look, position) => ({ ...look, atMs: 300 + 1_600 * position })),
        heartbeats: { kind: "refused" },
      },
      {},
    ],
  ])("%s", (_, one, changed) => {
    expect(said(one, changed)).toBe("unknown elsewhere");
  });

  test("when its heartbeat is heard there", () => {
    expect(said({ heartbeats: beating({}) }, {})).toBe("unknown elsewhere");
  });

  test("when addresses are translated on the way", () => {
    const translated: Connections = {
      ...{ kind: "unknown", because: "translated", established: false },
      elsewhere: [OLD],
    };
    expect(said({ looks: looks(translated) }, {})).toBe("unknown elsewhere");
  });

  test("as long as the old server has not been asked", () => {
    expect(said({}, { brokerName: { ...NAME, old: "unasked" } })).toBe("open second-look");
  });

  test("as long as nobody has listened for its heartbeats", () => {
    expect(said({ heartbeats: { ...SILENCE, forMs: 500 } }, {})).toBe("open heartbeat");
  });
});
