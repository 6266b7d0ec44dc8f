import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { PAGE } from "../../../src/serve/page/page.ts";

const between = (tag: string) => PAGE.html.split(`<${tag}>`)[1]?.split(`</${tag}>`)[0] ?? "";

test.each(["style", "script"])("the policy admits the page's own %s by its hash", (tag) => {
  const hash = createHash("sha256").update(between(tag)).digest("base64");
  expect(between(tag).length).toBeGreaterThan(1_000);
  expect(PAGE.policy).toContain(`${tag}-src 'sha256-${hash}'`);
});

test("the page fits a bundle that is read by every check", () => {
  expect(PAGE.html.length).toBeLessThan(48_000);
});

test("the page loads nothing from elsewhere and has no style or handler in an attribute", () => {
  expect(PAGE.html.match(/https?:\/\/(?!www\.w3\.org)|\s(?:style|on\w+)="|src=/g) ?? []).toEqual([]);
});
