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
  [
    "lists the worker that answers",
    { workers: listing([NODE, true]) },
    "ok",
    { kind: "lists", online: 1, missing: [] },
  ],
  [
    "lists it as offline",
    { workers: listing([NODE, false]) },
    "warning",
    { kind: "lists", online: 0, missing: [NODE] },
  ],
  [
    "lists a worker without a name",
    { workers: page(200, '{"data": [{"hostname": {"toString": 1}, "status": true}]}') },
    "warning",
    { kind: "lists", online: 1, missing: [NODE] },
  ],
  ["lists no worker", { workers: listing() }, "warning", { kind: "lists", online: 0, missing: [NODE] }],
  [
    "does not say the worker's state",
    { workers: listing([NODE, 1]) },
    "warning",
    { kind: "lists", online: 0 },
  ],
  ["is older than 2.0", { dashboard: listing([NODE, true]) }, "ok", { kind: "lists", online: 1 }],
  ["wants a login", { workers: BASIC }, "problem", { kind: "login", by: "basic", isGiven: false }],
  [
    "redirects to its login page",
    { workers: leading("/login?next=%2F") },
    "skipped",
    { kind: "login", by: "page" },
  ],
  [
    "redirects to a proxy's login page",
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
  ["forbids access", { workers: page(403) }, "skipped", { kind: "login", by: "page" }],
  [
    "redirects elsewhere",
    { workers: leading("/loginless"), dashboard: leading("http://me:w0rd@web/home?token=1") },
    "problem",
    { kind: "unusable", detail: "status 302 http://me:***@web/home" },
  ],
  [
    "answers with an error",
    { workers: page(500), dashboard: page(500) },
    "problem",
    { kind: "unusable", detail: "status 500" },
  ],
  ["does not exist at this address", {}, "problem", { kind: "unusable", detail: "status 404" }],
  [
    "answers with a web page instead of data",
    { workers: page(200, "<html>"), dashboard: page(200, "<html>") },
    "problem",
    { kind: "unusable", detail: "status 200" },
  ],
  [
    "lists workers with another status",
    { workers: { ...listing([NODE, true]), status: 203 }, dashboard: page(203) },
    "problem",
    { kind: "unusable", detail: "status 203" },
  ],
])("a Flower that %s", async (_, pages, level, facts) => {
  expect((await ask(pages)).found).toMatchObject({ level, facts });
});

test("a Flower that cannot be reached is a problem", async () => {
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

test("the login is sent apart from the address, and the finding says that it was refused", async () => {
  const { found, asked } = await ask({ workers: BASIC }, "http://me:w0rd%25@flower/base/?x=1#y");
  expect(found.facts).toMatchObject({ kind: "login", by: "basic", isGiven: true });
  expect(asked).toEqual([["http://flower/base/workers?json=1", "me:w0rd%"]]);
  expect(JSON.stringify(found)).not.toContain("w0rd");
});
