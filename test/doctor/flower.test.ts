import { expect, test } from "vitest";
import { flower } from "../../src/doctor/topics/flower.ts";
import type { Web, WebPage } from "../../src/machine/parts.ts";
import { failure, success } from "../../src/outcome.ts";
import { fakeScene, NODE, only } from "./fake-scene.ts";

const page = (status: number, body = "", headers: WebPage["headers"] = {}): WebPage => ({
  status,
  body,
  headers,
});
const leading = (location: string): WebPage => page(302, "", { location });
const BASIC = page(401, "", { "www-authenticate": 'Basic realm="flower"' });
const listing = (...workers: readonly (readonly [string, unknown])[]) =>
  page(200, JSON.stringify({ data: workers.map(([hostname, status]) => ({ hostname, status })) }));

/** What is said of a Flower with these pages; those it does not have are not found. */
async function ask(pages: Readonly<Record<string, WebPage>>, url = "http://flower:5555/") {
  const asked: (readonly [string, string])[] = [];
  const web: Web = (address, login) => {
    asked.push([address, login]);
    return Promise.resolve(success(pages[/\/(\w+)\?/.exec(address)?.[1] ?? ""] ?? page(404)));
  };
  const host = { web: () => Promise.resolve(web) };
  const { scene } = fakeScene({ args: ["--flower", url], told: { stats: {} }, host });
  return { found: only(await flower(scene), "flower"), asked };
}

test.each([
  ["lists who answers", { workers: listing([NODE, true]) }, "ok", { kind: "lists", online: 1, missing: [] }],
  [
    "lists it as offline",
    { workers: listing([NODE, false]) },
    "warning",
    { kind: "lists", online: 0, missing: [NODE] },
  ],
  [
    "lists what has no name",
    { workers: page(200, '{"data": [{"hostname": {"toString": 1}, "status": true}]}') },
    "warning",
    { kind: "lists", online: 1, missing: [NODE] },
  ],
  ["lists nobody", { workers: listing() }, "warning", { kind: "lists", online: 0, missing: [NODE] }],
  ["says nothing of its state", { workers: listing([NODE, 1]) }, "warning", { kind: "lists", online: 0 }],
  ["is older", { dashboard: listing([NODE, true]) }, "ok", { kind: "lists", online: 1 }],
  ["wants a login", { workers: BASIC }, "problem", { kind: "login", by: "basic", isGiven: false }],
  [
    "sends people to its login",
    { workers: leading("/login?next=%2F") },
    "skipped",
    { kind: "login", by: "page" },
  ],
  [
    "stands behind a login",
    { workers: leading("https://id.test/oauth2/start?rd=/") },
    "skipped",
    { kind: "login", by: "page" },
  ],
  [
    "wants a token",
    { workers: page(401, "", { "www-authenticate": "Bearer" }) },
    "skipped",
    { kind: "login", by: "page" },
  ],
  ["forbids it", { workers: page(403) }, "skipped", { kind: "login", by: "page" }],
  [
    "sends elsewhere",
    { workers: leading("/loginless"), dashboard: leading("http://me:w0rd@web/home?token=1") },
    "problem",
    { kind: "unusable", detail: "status 302 http://me:***@web/home" },
  ],
  [
    "has failed",
    { workers: page(500), dashboard: page(500) },
    "problem",
    { kind: "unusable", detail: "status 500" },
  ],
  ["is none", {}, "problem", { kind: "unusable", detail: "status 404" }],
  [
    "shows a page for people",
    { workers: page(200, "<html>"), dashboard: page(200, "<html>") },
    "problem",
    { kind: "unusable", detail: "status 200" },
  ],
  [
    "lists with another status",
    { workers: { ...listing([NODE, true]), status: 203 }, dashboard: page(203) },
    "problem",
    { kind: "unusable", detail: "status 203" },
  ],
])("a Flower that %s", async (_, pages, level, facts) => {
  expect((await ask(pages)).found).toMatchObject({ level, facts });
});

test("a Flower that cannot be reached", async () => {
  const web: Web = () => Promise.resolve(failure("connect ECONNREFUSED"));
  const { scene } = fakeScene({
    args: ["--flower", "http://flower"],
    host: { web: () => Promise.resolve(web) },
  });
  expect(only(await flower(scene), "flower")).toMatchObject({
    level: "problem",
    facts: { kind: "unusable", detail: "connect ECONNREFUSED" },
  });
});

test("the login is not part of the address, and which was refused is told", async () => {
  const { found, asked } = await ask({ workers: BASIC }, "http://me:w0rd%25@flower/base/?x=1#y");
  expect(found.facts).toMatchObject({ kind: "login", by: "basic", isGiven: true });
  expect(asked).toEqual([["http://flower/base/workers?json=1", "me:w0rd%"]]);
  expect(JSON.stringify(found)).not.toContain("w0rd");
});
