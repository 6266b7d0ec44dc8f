import { expect, test } from "vitest";
import { watchQueues } from "../../../src/serve/page/script/outlook.ts";
import { queue } from "../../world/scripted-fleet.ts";

/** What is said of a queue whose length is looked at every two seconds. */
function after(lengths: readonly (number | null)[], differences = {}) {
  const watched = watchQueues();
  const seen = lengths.map((length) => queue("celery", { length, ...differences }));
  for (const [at, one] of seen.entries()) watched.note([one], 1_000 + at * 2);
  return watched.outlook(seen.at(-1) ?? queue("celery"));
}

const counting = (from: number, step: number, times: number) =>
  Array.from({ length: times }, (_, at) => from + at * step);

test.each([
  ["is empty", [0, 0, 0], { kind: "empty", words: "empty" }],
  [
    "loses 20 messages in two seconds",
    counting(700, -20, 6),
    { kind: "drains", words: "empty in about 1 min" },
  ],
  ["has just become empty", [...counting(50, -10, 6)], { kind: "empty", words: "empty" }],
  ["gains 7 messages in two seconds", counting(0, 7, 6), { kind: "grows", words: "grows by 3.5/s" }],
  ["gains a message a minute", counting(900, 1 / 30, 40), { kind: "steady", words: "steady" }],
  ["moves up and down", [40, 44, 40, 44, 40, 44, 40], { kind: "steady", words: "steady" }],
  ["was seen for four seconds", counting(700, -20, 3), { kind: "watching", words: "measuring its trend …" }],
  ["cannot be read", [null], { kind: "unread", words: "its length is not known" }],
  [
    "loses two messages a minute of a million",
    counting(1e6, -800, 3).concat(counting(997_000, -400, 20)),
    { kind: "steady", words: "steady" },
  ],
])("the outlook follows from the last lengths of a queue that %s", (_, lengths, expected) => {
  expect(after(lengths)).toEqual(expected);
});

test("nobody empties a queue without consumers, however its length moves", () => {
  expect(after(counting(700, -20, 6), { consumers: 0 })).toEqual({
    kind: "unconsumed",
    words: "no worker consumes it",
  });
});

test("lengths of more than a minute and a half ago are forgotten", () => {
  expect(after([...counting(0, 50, 60), ...counting(3_000, -10, 60)]).kind).toBe("drains");
});
