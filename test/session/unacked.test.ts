import { expect, test } from "vitest";
import type { Command, Reply } from "../../src/broker/channel.ts";
import { DEFAULT_TRANSPORT } from "../../src/celery/transport-options.ts";
import { success } from "../../src/outcome.ts";
import { lookAtUnacked } from "../../src/session/unacked.ts";

const NOW_S = 10_000;

/** What is seen where the server refuses these commands, and what it was sent. */
async function look(told: readonly (typeof DEFAULT_TRANSPORT)[], refused: readonly string[] = []) {
  const sent: Command[] = [];
  const send = (commands: readonly Command[]) => {
    sent.push(...commands);
    const replies = commands.map(([name]): Reply => {
      if (refused.includes(name)) return { ok: false, error: "NOPERM" };
      return { ok: true, value: name === "ZRANGE" ? ["tag", "9000"] : name === "ZCARD" ? 1 : 0 };
    });
    return Promise.resolve(success(replies));
  };
  return { seen: await lookAtUnacked(send, "p:", told, NOW_S), sent };
}

test.each([
  ["the default", [], 3_600],
  ["the shortest of the workers' timeouts", [3_000, 600, 900], 600],
])("a delivery is overdue a minute after the visibility timeout: %s", async (_, told, visibilityS) => {
  const { seen, sent } = await look(told.map((one) => ({ ...DEFAULT_TRANSPORT, visibilityS: one })));
  expect(sent).toContainEqual(["ZCOUNT", "p:unacked_index", "-inf", NOW_S - visibilityS - 60]);
  expect(seen).toEqual({
    ...{ count: 1, overdue: 0, messages: [], visibilityS },
    ...{ isDefault: true, isTold: told.length > 0 },
  });
});

test.each([
  ["the index may not be read", DEFAULT_TRANSPORT, ["ZRANGE"], { refused: "p:unacked_index" }],
  ["the hash may not be read", DEFAULT_TRANSPORT, ["HSTRLEN"], { refused: "p:unacked" }],
  ["the name of the hash is masked", { ...DEFAULT_TRANSPORT, unackedKey: null }, [], "masked"],
  ["the name of the index is masked", { ...DEFAULT_TRANSPORT, unackedIndexKey: null }, [], "masked"],
])("deliveries are not seen when %s", async (_, told, refused, expected) => {
  expect((await look([told], refused)).seen).toEqual(expected);
});
