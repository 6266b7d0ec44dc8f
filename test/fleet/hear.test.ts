import { describe, expect, test } from "vitest";
import { copiesOf, toldTasks } from "../../src/fleet/answers.ts";
import { FORGET_MS, type FleetState, MOST_NODES, type NodeState } from "../../src/fleet/fleet-state.ts";
import { isShown } from "../../src/fleet/settle.ts";
import { beating, fleet, heard, look, NODE, ping, reasonOf } from "./scenes.ts";

function known(state: FleetState): NodeState {
  const node = state.nodes.get(NODE);
  if (node === undefined) throw new Error("it is not known");
  return node;
}

describe("processes of one name", () => {
  test.each<[name: string, restarts: number, copies: number, run: (state: FleetState) => void]>([
    [
      "one that beats",
      0,
      1,
      (state) => {
        beating(state, 0, 20_000);
      },
    ],
    [
      "another one that follows after a goodbye",
      1,
      1,
      (state) => {
        beating(state, 0, 10_000);
        heard(state, 11_000, { kind: "offline" });
        beating(state, 14_000, 20_000, { pid: 13 });
      },
    ],
    [
      "another one that follows soon, without a goodbye",
      1,
      1,
      (state) => {
        beating(state, 0, 10_000);
        beating(state, 13_000, 21_000, { pid: 13 });
      },
    ],
    [
      "another one that follows late",
      1,
      1,
      (state) => {
        beating(state, 0, 10_000);
        beating(state, 100_000, 110_000, { pid: 13 });
      },
    ],
    [
      "another one that is heard for the first time, and may be a second one",
      0,
      1,
      (state) => {
        beating(state, 0, 10_000);
        heard(state, 13_000, { pid: 13 });
      },
    ],
    [
      "another one that is heard for the first time after a goodbye",
      1,
      1,
      (state) => {
        beating(state, 0, 10_000);
        heard(state, 11_000, { kind: "offline" });
        heard(state, 12_000, { pid: 13 });
      },
    ],
    [
      "the same number again, as in containers",
      1,
      1,
      (state) => {
        beating(state, 0, 10_000, { pid: 1, processed: 50 });
        beating(state, 14_000, 20_000, { pid: 1, processed: 2 });
      },
    ],
    [
      "two at once",
      0,
      2,
      (state) => {
        beating(state, 0, 20_000);
        beating(state, 1_000, 21_000, { pid: 13 });
        for (let ms = 22_000; ms < 60_000; ms += 1_000) heard(state, ms, { pid: ms % 2_000 === 0 ? 12 : 13 });
      },
    ],
    [
      "two at once of which one ends",
      0,
      1,
      (state) => {
        for (let ms = 0; ms < 20_000; ms += 1_000) heard(state, ms, { pid: ms % 2_000 === 0 ? 12 : 13 });
        ping(state, 20_000, 2, [NODE], { copies: 2 });
        beating(state, 20_000, 60_000, { pid: 13 });
      },
    ],
    [
      "two that answer one ping, of which one ends before the other is heard",
      0,
      1,
      (state) => {
        heard(state, 0);
        ping(state, 100, 2, [NODE], { copies: 2 });
        beating(state, 1_000, 20_000, { pid: 13 });
      },
    ],
    [
      "two that answer one ping and have the same number",
      0,
      2,
      (state) => {
        for (let ms = 0; ms < 20_000; ms += 1_000)
          heard(state, ms, { pid: 1, processed: ms % 2_000 === 0 ? 900 : 3 });
        ping(state, 20_000, 2, [NODE], { copies: 2 });
      },
    ],
  ])("%s: %i restarts, %i copies", (_, restarts, copies, run) => {
    const state = fleet();
    run(state);
    expect({ restarts: known(state).restarts, copies: copiesOf(known(state)) }).toEqual({ restarts, copies });
  });

  test("one that is new is asked again, and its numbers are its own", () => {
    const state = fleet();
    beating(state, 0, 10_000, { processed: 500 });
    known(state).toldPoolMs = 5_000;
    beating(state, 60_000, 70_000, { pid: 13, processed: 1 });
    expect(known(state)).toMatchObject({ toldPoolMs: -Infinity });
    expect(known(state).processes).toMatchObject([{ pid: 13, processed: 1 }]);
  });
});

describe("a goodbye", () => {
  test("is not taken back by an answer that was given before it and comes after it", () => {
    const state = fleet();
    beating(state, 0, 10_000);
    heard(state, 11_000, { kind: "offline" });
    ping(state, 10_900 + 1_000, 1, [NODE]);
    toldTasks(state, NODE, null, 12_000, 12);
    look(state, 30_000);
    expect(isShown(known(state), state)).toBe(false);
    ping(state, 60_000, 1, [NODE]);
    expect(reasonOf(state, 60_010)).toBe("alive");
  });

  test("takes a node out of sight at once, and out of mind after ten minutes", () => {
    const state = fleet();
    beating(state, 0, 10_000);
    heard(state, 11_000, { kind: "offline" });
    expect(isShown(known(state), state)).toBe(false);
    look(state, 12_000);
    expect(state.nodes.size).toBe(1);
    look(state, 11_001 + FORGET_MS);
    expect(state.nodes.size).toBe(0);
  });

  test("of one process does not end another of the same name", () => {
    const state = fleet();
    for (let ms = 0; ms < 20_000; ms += 1_000) heard(state, ms, { pid: ms % 2_000 === 0 ? 12 : 13 });
    heard(state, 20_000, { kind: "offline" });
    expect(reasonOf(state, 20_100)).toBe("alive");
    expect(known(state).processes).toMatchObject([{ pid: 13 }]);
  });

  test("of a node that was named is told", () => {
    const state = fleet([NODE]);
    heard(state, 0);
    heard(state, 1_000, { kind: "offline" });
    look(state, 2_000 + FORGET_MS);
    expect(isShown(known(state), state)).toBe(true);
    expect(reasonOf(state, 2_000 + FORGET_MS)).toBe("gone");
  });
});

test("a node that vanished is shown for ten minutes", () => {
  const state = fleet();
  beating(state, 0, 10_000);
  ping(state, 20_000, 0);
  look(state, 20_000 + FORGET_MS);
  expect(reasonOf(state, 20_000 + FORGET_MS)).toBe("gone");
  look(state, 20_001 + FORGET_MS);
  expect(state.nodes.size).toBe(0);
});

test("a rate is that between two heartbeats", () => {
  const state = fleet();
  heard(state, 0, { processed: 10 });
  heard(state, 2_000, { processed: 17 });
  expect(known(state).perS).toBe(3.5);
});

test("the age of a task does not come from the worker's clock", () => {
  const state = fleet();
  // Its clock is an hour behind.
  heard(state, 7_200_000, { active: 1, sentS: 3_600 });
  toldTasks(state, NODE, { name: "t", id: "1", startS: 3_590 }, 7_201_000, 7_201);
  expect((7_201_000 - (known(state).oldest?.startMs ?? 0)) / 1_000).toBeCloseTo(11);
});

test("nodes over the bound are counted, not kept", () => {
  const state = fleet();
  for (let number = 0; number < MOST_NODES + 7; number++) heard(state, 1_000, { node: `w${number}@host` });
  for (let number = 0; number < MOST_NODES + 7; number++) heard(state, 3_000, { node: `w${number}@host` });
  expect(state.nodes.size).toBe(MOST_NODES);
  expect(state.dropped.nodes.size).toBe(7);
});

test("names that come and go leave nothing behind", () => {
  const state = fleet();
  for (let round = 0; round < 3_000; round++) {
    const nowMs = round * 30_000;
    for (let number = 0; number < 3; number++) heard(state, nowMs, { node: `w${round}-${number}@host` });
    ping(state, nowMs + 29_000, 0);
    look(state, nowMs + 29_500);
  }
  // Ten minutes are 20 rounds.
  expect(state.nodes.size).toBeLessThanOrEqual(66);
});
