import { expect, test } from "vitest";
import { keepLastBytes } from "../../src/machine/last-bytes.ts";

test.each([
  ["nothing", [], ""],
  ["less than is kept", ["ab", "c"], "abc"],
  ["as much", ["abcd", "ef"], "abcdef"],
  ["more, byte by byte", Array.from("abcdefghijklmnopqrstuvwxyz"), "uvwxyz"],
  ["one chunk that is more", ["abcdefghi"], "defghi"],
  ["chunks of any length", ["abcde", "fghijk", "lmnopqrstuv", "w"], "rstuvw"],
])("of %s the last six bytes are kept", (_, chunks, expected) => {
  const last = keepLastBytes(6);
  for (const chunk of chunks) last.add(Buffer.from(chunk));
  expect(last.text()).toBe(expected);
});

test("a million chunks of a byte take no memory but their bytes", () => {
  const last = keepLastBytes(1_000_000);
  const before = process.memoryUsage().external;
  for (let at = 0; at < 1_000_000; at++) last.add(Uint8Array.of(97));
  expect(process.memoryUsage().external - before).toBeLessThan(10_000_000);
  expect(last.text()).toHaveLength(1_000_000);
});
