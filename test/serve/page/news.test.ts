import { expect, test } from "vitest";
import type { Fleet } from "../../../src/serve/page/script/fleet.ts";
import { newsReader } from "../../../src/serve/page/script/news.ts";
import { fleet, worker } from "../../world/scripted-fleet.ts";

const well = (name: string) => worker(name);
const ill = (name: string) =>
  worker(name, { status: "unhealthy", reason: "hung", message: "silent for 301 s" });
const down = (): Fleet => {
  const { broker } = fleet([], []).workers;
  return fleet([well("a")], [], {
    broker: { ...broker, up: false, message: "redis refused the connection" },
  });
};

/** What is said of fleets that are seen at these seconds. */
function told(...seen: readonly (readonly [atS: number, Fleet])[]): string[] {
  const said: string[] = [];
  const read = newsReader((sentence) => said.push(sentence));
  for (const [atS, one] of seen) read(one, atS * 1_000);
  return said;
}

test.each([
  ["nothing of the fleet that was there first", [[0, fleet([ill("a")], [])]], []],
  [
    "nothing when numbers move",
    [
      [0, fleet([well("a")], [])],
      [20, fleet([worker("a", { active: 4, per_second: 9 })], [])],
    ],
    [],
  ],
  [
    "which worker became unhealthy, and why",
    [
      [0, fleet([well("a"), well("b")], [])],
      [20, fleet([ill("b"), well("a")], [])],
    ],
    ["b is unhealthy: hung: silent for 301 s."],
  ],
  [
    "that a worker is healthy again",
    [
      [0, fleet([ill("a")], [])],
      [20, fleet([well("a")], [])],
    ],
    ["a is healthy again."],
  ],
  [
    "how many, when there are several",
    [
      [0, fleet([well("a"), well("b")], [])],
      [20, fleet([ill("a"), ill("b")], [])],
    ],
    ["2 workers are now unhealthy."],
  ],
  [
    "the broker's outage, and its end",
    [
      [0, fleet([well("a")], [])],
      [20, down()],
      [40, fleet([well("a")], [])],
    ],
    ["The broker is unavailable: redis refused the connection.", "The broker is up again."],
  ],
  [
    "ten seconds later what has changed within ten seconds",
    [
      [0, fleet([well("a"), well("b")], [])],
      [20, fleet([ill("a"), well("b")], [])],
      [22, fleet([ill("a"), ill("b")], [])],
      [31, fleet([ill("a"), ill("b")], [])],
    ],
    ["a is unhealthy: hung: silent for 301 s.", "b is unhealthy: hung: silent for 301 s."],
  ],
] as const satisfies readonly (readonly [
  string,
  readonly (readonly [number, Fleet])[],
  readonly string[],
])[])("a screen reader is told %s", (_, seen, expected) => {
  expect(told(...seen)).toEqual(expected);
});
