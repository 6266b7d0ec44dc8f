import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser, visit } from "../../world/browser.ts";
import { ago, AT_MS, fleet, queue, worker } from "../../world/scripted-fleet.ts";
import { startScriptedServe } from "../../world/scripted-serve.ts";
import { shopFleet } from "../../world/shop-fleet.ts";
import { installMissing } from "../debian.ts";

let browser: Browser;

beforeAll(async () => {
  await installMissing({ chromium: "chromium" });
  browser = await startBrowser();
});

afterAll(() => browser.close());

test("the page reports a lost connection, with the age of the data, until it is back", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  await page.getByText("live", { exact: true }).waitFor();
  serve.vanish();
  const banner = page.locator("#lost");
  await banner.waitFor();
  expect(await banner.textContent()).toMatch(
    /^Connection to celery-probe lost · data of \d+ s ago · trying again (?:in \d+ s|now …)$/,
  );
  expect(await page.locator("#live").textContent()).toBe("not connected");
  expect(await page.locator("#link-news").textContent()).toBe("Connection to celery-probe lost.");
  const ageSaid = async () => Number(/of (\d+) s/.exec((await banner.textContent()) ?? "")?.[1]);
  const first = await ageSaid();
  await expect.poll(ageSaid).toBeGreaterThan(first);
  // The last known data can still be read.
  expect(await page.locator("tr.worker").count()).toBe(9);
  serve.return();
  await banner.waitFor({ state: "hidden" });
  expect(await page.locator("#link-news").textContent()).toBe("Connected to celery-probe again.");
  expect(await page.locator("#live").textContent()).toBe("live");
});

test("ages go on by the clock of serve, and times are in the viewer's zone", async () => {
  await using serve = await startScriptedServe(fleet([worker("celery@a", { since: ago(5) })], []));
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  const age = page.locator("td.since time");
  await age.waitFor();
  expect(await page.locator("td.since .quiet").textContent()).toBe("14:04:15");
  expect(await age.getAttribute("title")).toBe("Sunday, 29 November 2026 at 14:04:15");
  const seconds = async () => Number.parseInt((await age.textContent()) ?? "");
  const first = await seconds();
  expect(first).toBeGreaterThanOrEqual(5);
  await expect.poll(seconds).toBeGreaterThanOrEqual(first + 2);
});

test("a shrinking queue has a time when it will be empty", async () => {
  await using serve = await startScriptedServe(null);
  await using visitor = await visit(browser, serve.url);
  for (let look = 0; look < 6; look++) {
    const at = ago(-2 * look);
    serve.tell(fleet([worker("celery@a")], [queue("mails", { length: 700 - 20 * look })], { at }));
  }
  await visitor.page.getByText("empty in about 1 min").waitFor();
});

test("a screen reader announces changed states, and no numbers", async () => {
  await using serve = await startScriptedServe(fleet([worker("celery@a")], []));
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  const news = page.locator("#news");
  for (let look = 0; look < 20; look++) serve.tell(fleet([worker("celery@a", { processed: look })], []));
  await page.locator("tr.worker").waitFor();
  expect(await news.textContent()).toBe("");
  const hung = { status: "unhealthy", reason: "hung", message: "silent for 301 s" } as const;
  serve.tell(fleet([worker("celery@a", hung)], []));
  await expect.poll(() => news.textContent()).toBe("celery@a is unhealthy: hung: silent for 301 s.");
  expect(await news.getAttribute("aria-live")).toBe("polite");
});

test("the page of a replaced executable gives way to the new one's", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  await page.getByText("live", { exact: true }).waitFor();
  const loaded = page.waitForEvent("load");
  serve.tell(fleet([], [], { version: "0.2.0", at: new Date(AT_MS + 2_000).toISOString() }));
  await loaded;
  await expect.poll(() => page.locator("#version").textContent()).toBe("0.2.0");
});
