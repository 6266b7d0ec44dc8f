import { expect, test } from "vitest";
import { amount, line, names, page, time } from "../../src/render/speech.ts";

test("line stays one line when the text has line ends and control characters", () => {
  expect(line("a\r\nb\tc\u001b[31m\u2028\u200b é 🙂")).toBe(
    "a\\x0d\\x0ab\\x09c\\x1b[31m\\u{2028}\\u{200b} é 🙂",
  );
});

test("page is cut at the end of a character when it is too long", () => {
  const text = page(["é".repeat(3_000)]);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
  expect(text).toMatch(/^é+ …\n$/);
  expect(page(["short", "text"])).toBe("short\ntext\n");
});

test.each([
  [0.2, "1 ms"],
  [3.4, "3 ms"],
  [999, "999 ms"],
  [4_012, "4.0 s"],
])("time says %d ms as %s", (ms, words) => {
  expect(time(ms)).toBe(words);
});

test("amount counts in the singular and in the plural", () => {
  expect([amount(0, "ping"), amount(1, "ping"), amount(2, "ping")]).toEqual(["0 pings", "1 ping", "2 pings"]);
});

test("names counts the rest when the list is long", () => {
  expect(names(["a", "b"])).toBe("a, b");
  expect(names(Array.from({ length: 10 }, (_, n) => `n${n}`))).toBe(
    "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more",
  );
});
