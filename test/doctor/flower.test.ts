import { expect, test } from "vitest";
import { flower } from "../../src/doctor/topics/flower.ts";
import type { Web, WebPage } from "../../src/machine/parts.ts";
import { failure, success } from "../../src/outcome.ts";
import { fakeScene, NODE, only } from "./fake-scene.ts";

const page = (status: number, body = "", location?: string): WebPage => ({
  status,
  body,
  headers: location === undefined ? {} : { location },
});
const listing = (...workers: readonly (readonly [string, unknown])[]) =>
  page(200, JSON.stringify({ data: workers.map(([hostname, status]) => ({ hostname, status })) }));

/** What is said of a Flower with these pages; those it does not have are not found. */
async function ask(pages: Readonly<Record<string, WebPage>>, url = "http://flower:5555/") {
  const asked: (readonly [string, Readonly<Record<string, string>>])[] = [];
  const web: Web = (address, headers) => {
    asked.push([address, headers]);
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
  ["wants a login", { workers: page(401) }, "problem", { kind: "login", isGiven: false }],
  ["forbids it", { workers: page(403) }, "problem", { kind: "login", isGiven: false }],
  ["sends to its login", { workers: page(302, "", "/login?next=%2F") }, "problem", { kind: "login" }],
  [
    "sends elsewhere",
    { workers: page(302, "", "/loginless"), dashboard: page(302, "", "/home") },
    "problem",
    { kind: "other", status: 302, location: "/home" },
  ],
  ["has failed", { workers: page(500), dashboard: page(500) }, "problem", { kind: "other", status: 500 }],
  ["is none", {}, "problem", { kind: "other", status: 404, location: null }],
  [
    "shows a page for people",
    { workers: page(200, "<html>"), dashboard: page(200, "<html>") },
    "problem",
    { kind: "other", status: 200 },
  ],
  [
    "lists with another status",
    { workers: { ...listing([NODE, true]), status: 203 }, dashboard: page(203) },
    "problem",
    { kind: "other", status: 203 },
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
    facts: { kind: "unreachable", detail: "connect ECONNREFUSED" },
  });
});

test("the login goes in a header alone, and which was refused is told", async () => {
  const { found, asked } = await ask({ workers: page(401) }, "http://me:w0rd%25@flower/base/?x=1#y");
  expect(found.facts).toMatchObject({ kind: "login", isGiven: true });
  const authorization = `Basic ${Buffer.from("me:w0rd%").toString("base64")}`;
  expect(asked).toEqual([["http://flower/base/workers?json=1", { authorization }]]);
  expect(JSON.stringify(found)).not.toContain("w0rd");
});
