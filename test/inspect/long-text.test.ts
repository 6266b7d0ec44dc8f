import fc from "fast-check";
import { expect, test } from "vitest";
import { replaceEach } from "../../src/inspect/long-text.ts";

const inCapitals = (text: string) => replaceEach(text, /[a-c]+/g, ([word]) => word.toUpperCase());

test.each([
  ["", ""],
  ["x", "x"],
  ["abx", "ABx"],
  ["xab", "xAB"],
  ["a b", "A B"],
])("each match in %j is replaced", (text, expected) => {
  expect(inCapitals(text)).toBe(expected);
});

test("replaceEach gives the same text as replace, even when nothing changes", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b", "c", "x", "A", " ") }), (text) => {
      expect(inCapitals(text)).toBe(text.replace(/[a-c]+/g, (word) => word.toUpperCase()));
      expect(replaceEach(text, /[a-c]+/g, ([word]) => word)).toBe(text);
    }),
  );
});

test("a text of many pieces is complete", () => {
  expect(inCapitals("a ".repeat(100_000)) === "A ".repeat(100_000)).toBe(true);
});
