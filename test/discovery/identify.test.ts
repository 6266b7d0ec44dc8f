import { describe, expect, test } from "vitest";
import { identifyAll, identifyNamed, type Known } from "../../src/discovery/identify.ts";
import type { Sighted } from "../../src/discovery/suspect.ts";
import { sighted } from "../health/seen.ts";

const SCRIPT = sighted({}).candidate;

/** A process with this number that shows itself to be a worker. */
function at(pid: number, changed: Partial<Sighted> = {}): Sighted {
  return sighted({
    shows: "worker",
    ...changed,
    candidate: { ...SCRIPT, pid, innerPid: pid, ...changed.candidate },
  });
}

const KNOWN: Known = { hostname: "web-1", heard: [], bound: [], placed: [] };

const titled = { ...SCRIPT, pid: 7, innerPid: 7, saysWorker: true };

describe("a node that was named", () => {
  type Row = [when: string, sighted: readonly Sighted[], known: Partial<Known>, found: readonly string[]];
  test.each<Row>([
    ["is the one process that may be it", [at(7)], {}, ["a@web-1 7"]],
    [
      "is the one that says so in its heartbeats",
      [at(7), at(8)],
      { heard: [{ node: "a@web-1", pid: 8 }] },
      ["a@web-1 8"],
    ],
    ["is nobody when two may be it", [at(7), at(8)], {}, []],
    ["is nobody when another's connections cannot be told", [at(7), at(8, { shows: "hidden" })], {}, []],
    [
      "is the worker beside another program",
      [at(7), at(8, { shows: "client" }), at(9, { shows: "listener" })],
      {},
      ["a@web-1 7"],
    ],
    ["is the worker beside its own fork", [at(7), at(8, { shows: "heir" })], {}, ["a@web-1 7"]],
    ["is nobody when the one calls itself otherwise", [at(7)], { heard: [{ node: "b@web-1", pid: 7 }] }, []],
    ["is nobody when another of this host is bound", [at(7)], { bound: ["a@web-1", "b@web-1"] }, []],
    ["is the one when only nodes of other hosts are bound", [at(7)], { bound: ["b@prod"] }, ["a@web-1 7"]],
    ["is nobody when it may not be read who is bound", [at(7)], { bound: null }, []],
    [
      "is the one when the other that is bound has a process",
      [at(7)],
      { bound: ["b@web-1"], placed: ["b@web-1"] },
      ["a@web-1 7"],
    ],
    [
      "is the one when the other is heard from another process",
      [at(7)],
      { bound: ["b@web-1"], heard: [{ node: "b@web-1", pid: 9 }] },
      ["a@web-1 7"],
    ],
    [
      "is the one when a process of the same number beats elsewhere",
      [at(7)],
      { heard: [{ node: "x@web-2", pid: 7 }] },
      ["a@web-1 7"],
    ],
    ["is nobody when it is hidden", [at(7, { shows: "hidden" })], {}, []],
    [
      "is the hidden one when that says that it is a worker",
      [at(7, { shows: "hidden", candidate: titled })],
      {},
      ["a@web-1 7"],
    ],
    ["is nobody when a program fetches and does not listen", [at(7, { shows: "fetcher" })], {}, []],
  ])("%s", (_, seen, known, found) => {
    const identified = identifyNamed(["a@web-1"], seen, { ...KNOWN, ...known });
    expect(identified.found.map(({ node, candidate }) => `${node} ${candidate.pid}`)).toEqual(found);
  });

  test("of another host is nobody when one of that host is bound, and not heard", () => {
    const found = (known: Partial<Known>) =>
      identifyNamed(["a@prod"], [at(7)], { ...KNOWN, ...known }).found.length;
    expect(found({ bound: ["b@prod"] })).toBe(0);
    expect(found({ bound: ["b@prod"], heard: [{ node: "b@prod", pid: 7 }] })).toBe(1);
    expect(found({ bound: ["b@web-9"] })).toBe(1);
  });

  test("may be each of several when as many are bound, and all of them listen", () => {
    const found = (seen: readonly Sighted[], bound: readonly string[], missing = ["a@web-1"]) =>
      identifyNamed(missing, seen, { ...KNOWN, bound }).found.map(
        ({ node, candidate }) => `${node} ${candidate.pid}`,
      );
    const both = ["a@web-1", "b@web-1"];
    expect(found([at(7), at(8)], both)).toEqual(["a@web-1 7", "a@web-1 8"]);
    expect(found([at(7), at(8)], both, both)).toHaveLength(4);
    expect(found([at(7), at(8)], [...both, "c@web-1"])).toEqual([]);
    expect(found([at(7), at(8), at(9)], both)).toEqual([]);
    expect(found([at(7), at(8, { ears: 1 })], both)).toEqual([]);
    expect(found([at(7), at(8, { shows: "hidden" })], both)).toEqual([]);
    expect(found([at(7), at(8)], ["b@web-1", "c@web-1"])).toEqual([]);
  });

  test("keeps the names of others, and processes that may be workers", () => {
    const { otherwise, unknown } = identifyNamed(["a@web-1"], [at(7), at(8)], {
      ...KNOWN,
      heard: [{ node: "b@web-1", pid: 7 }],
      bound: ["c@web-1"],
    });
    expect(otherwise).toMatchObject([{ node: "b@web-1", candidate: { pid: 7 } }]);
    expect(unknown.map(({ candidate }) => candidate.pid)).toEqual([8]);
  });
});

describe("where nobody was named", () => {
  const all = (seen: readonly Sighted[], known: Partial<Known> = {}) =>
    identifyAll("celery@web-1", seen, { ...KNOWN, ...known }).found.map(
      ({ node, candidate }) => `${node} ${candidate.pid}`,
    );

  test("all workers are meant, by the names that they have shown", () => {
    expect(all([at(7), at(8)])).toEqual(["celery@web-1 7", "celery@web-1 8"]);
    expect(all([at(7), at(8)], { heard: [{ node: "b@web-1", pid: 8 }] })).toEqual([
      "celery@web-1 7",
      "b@web-1 8",
    ]);
    expect(all([at(7, { shows: "hidden" })], { heard: [{ node: "b@web-1", pid: 7 }] })).toEqual([
      "b@web-1 7",
    ]);
  });

  test("a name of another host counts when it is the only one of its number, and the process publishes", () => {
    const heard = [{ node: "a@prod", pid: 7 }];
    expect(all([at(7, { publishes: true })], { heard })).toEqual(["a@prod 7"]);
    expect(all([at(7, { publishes: false })], { heard })).toEqual(["celery@web-1 7"]);
    const two = [...heard, { node: "b@prod", pid: 7 }];
    expect(all([at(7, { publishes: true })], { heard: two })).toEqual(["celery@web-1 7"]);
  });

  test("the only worker without a heartbeat has the only name of this host that is bound and nobody's", () => {
    expect(all([at(7)], { bound: ["a@web-1", "b@web-2"] })).toEqual(["a@web-1 7"]);
    expect(all([at(7)], { bound: ["a@web-1", "b@web-1"] })).toEqual(["celery@web-1 7"]);
    const heard = [{ node: "b@web-1", pid: 8 }];
    expect(all([at(7), at(8)], { bound: ["a@web-1", "b@web-1"], heard })).toEqual(["a@web-1 7", "b@web-1 8"]);
    expect(all([at(7), at(8)], { bound: ["a@web-1"] })).toEqual(["celery@web-1 7", "celery@web-1 8"]);
    expect(all([at(7)], { bound: null })).toEqual(["celery@web-1 7"]);
  });

  test("one that cannot be told is meant when it says that it is a worker, and is alone", () => {
    const hidden = at(7, { shows: "hidden", candidate: titled });
    expect(all([hidden, at(8, { shows: "client" })])).toEqual(["celery@web-1 7"]);
    expect(all([hidden, at(8, { shows: "hidden" })])).toEqual([]);
    expect(all([at(7, { shows: "hidden" })])).toEqual([]);
  });
});
