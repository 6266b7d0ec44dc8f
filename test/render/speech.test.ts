import { expect, test } from "vitest";
import { line, page } from "../../src/render/gate.ts";
import { amount, names, sentence, shortened, time } from "../../src/render/speech.ts";

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

/** Longer than any sentence should be: the longest path that Linux takes. */
const PATH = `/srv/${"folder/".repeat(584)}key.pem`;

test.each([
  [
    "a path",
    `the key cannot be used: ${PATH} (ENOENT)`,
    /^the key cannot be used: \/srv\/.*….*\/key\.pem \(ENOENT\)$/,
  ],
  ["a path and the words after it", `${PATH}: it is a folder`, /^\/srv\/.*….*\/key\.pem: it is a folder$/],
  [
    "a text in quotes",
    `--node '${"a b ".repeat(500)}c' is not accepted`,
    /^--node 'a b .*….* c' is not accepted$/,
  ],
  [
    "a URL",
    `redis://cache:6379/0?ssl_certfile=${PATH} refused it`,
    /^redis:\/\/cache:6379\/0\?ssl_certfile=.*…\S* refused it$/,
  ],
])("sentence shortens %s in the middle", (_, long, short) => {
  expect(sentence(long)).toMatch(short);
  expect(sentence(long).length).toBeLessThan(150);
  expect(sentence(sentence(long))).toBe(sentence(long));
});

test.each([
  "the worker's environment has none of the variables that its image should have set, and neither does the broker's",
  `'${"x".repeat(97)}', ${"y".repeat(100)}`,
  "",
])("sentence leaves a text of short words as it is: %s", (text) => {
  expect(sentence(text)).toBe(text);
});

test("shortened cuts between characters, not inside one", () => {
  expect(shortened("🙂".repeat(50), 20)).toBe("🙂🙂🙂🙂🙂…🙂🙂🙂🙂");
  expect(shortened("abcdefghij", 10)).toBe("abcdefghij");
});

test.each([
  [0.2, "1 ms"],
  [3.4, "3 ms"],
  [999, "999 ms"],
  [4_012, "4.0 s"],
])("time says %d ms as %s", (ms, words) => {
  expect(time(ms)).toBe(words);
});

test("amount uses the singular and the plural", () => {
  expect([amount(0, "ping"), amount(1, "ping"), amount(2, "ping")]).toEqual(["0 pings", "1 ping", "2 pings"]);
});

test("names counts the rest when the list is long", () => {
  expect(names(["a", "b"])).toBe("a, b");
  expect(names(Array.from({ length: 10 }, (_, n) => `n${n}`))).toBe(
    "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more",
  );
});
