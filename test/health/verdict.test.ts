import { describe, expect, test } from "vitest";
import type { Evidence } from "../../src/health/evidence.ts";
import type { Asked } from "../../src/health/plan.ts";
import { exitCode, judge } from "../../src/health/verdict.ts";

const one: Asked = { kind: "nodes", nodes: ["a@x"] };
const two: Asked = { kind: "nodes", nodes: ["a@x", "b@x"] };
const any: Asked = { kind: "any", atLeast: 1 };
const three: Asked = { kind: "any", atLeast: 3 };

const pong = (node: string) => ({ node, afterMs: 3, copies: 1 });
function asked(subscribers: number, ...nodes: string[]): Evidence {
  return { kind: "asked", pings: 1, subscribers, pongs: nodes.map(pong), waitedMs: 10, cutShort: false };
}
const lost: Evidence = {
  kind: "broker-failed",
  failure: { kind: "unreachable", cause: "connection-refused", detail: "" },
  pings: 0,
};
const refused: Evidence = {
  kind: "broker-failed",
  failure: { kind: "refused", cause: "loading", command: "TYPE", detail: "" },
  pings: 0,
};

describe("judge", () => {
  test.each<[string, Evidence, Asked, string, 0 | 1]>([
    ["the node asked answered", asked(1, "a@x"), one, "healthy alive", 0],
    ["both nodes asked answered", asked(2, "a@x", "b@x"), two, "healthy alive", 0],
    ["anybody answered and any was wanted", asked(5, "q@x"), any, "healthy alive", 0],
    ["as many answered as were wanted", asked(5, "a@x", "b@x", "c@x"), three, "healthy alive", 0],
    ["one of two nodes answered", asked(2, "a@x"), two, "unknown undecided silent", 1],
    ["two of three answered", asked(2, "a@x", "b@x"), three, "unknown undecided silent", 1],
    ["nobody answered and one is subscribed", asked(1), one, "unknown undecided silent", 1],
    ["nobody is subscribed", asked(0), one, "unknown undecided nobody-subscribed", 1],
    ["nobody is subscribed and any was wanted", asked(0), any, "unknown undecided nobody-subscribed", 1],
    ["the broker cannot be reached", lost, one, "unknown broker-unreachable", 1],
    ["the broker refuses", refused, one, "unknown broker-refused", 1],
    ["there was no time", { kind: "no-time" }, one, "unknown undecided no-time", 1],
    [
      "it was told to end",
      { kind: "interrupted", signal: "SIGTERM" },
      one,
      "unknown undecided interrupted",
      1,
    ],
  ])("%s", (_, evidence, whom, words, code) => {
    const verdict = judge(evidence, whom);
    const gap = verdict.reason === "undecided" ? ` ${verdict.gap.kind}` : "";
    expect(`${verdict.status} ${verdict.reason}${gap}`).toBe(words);
    expect(exitCode(verdict)).toBe(code);
  });

  test("names who is missing when not all answered", () => {
    expect(judge(asked(2, "a@x"), two)).toMatchObject({ gap: { missing: ["b@x"], wanted: 2 } });
  });
});
