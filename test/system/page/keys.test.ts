import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser, visit } from "../../world/browser.ts";
import { ago, fleet, queue, worker } from "../../world/scripted-fleet.ts";
import { startScriptedServe } from "../../world/scripted-serve.ts";
import { shopFleet } from "../../world/shop-fleet.ts";
import { installMissing } from "../debian.ts";
import { nodesOf } from "./looks.ts";

let browser: Browser;

beforeAll(async () => {
  await installMissing({ chromium: "chromium" });
  browser = await startBrowser();
});

afterAll(() => browser.close());

const focused = (page: Page) =>
  page.evaluate<string>("document.activeElement.textContent || document.activeElement.id");

test("the first Tab offers to skip to the workers, and each stop is visible", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  await page.locator("tr.worker").first().waitFor();
  const stops: string[] = [];
  for (let stop = 0; stop < 16; stop++) {
    await page.keyboard.press("Tab");
    stops.push(await focused(page));
    const outline = await page.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle");
    expect(outline, stops.at(-1)).not.toBe("none");
  }
  expect(stops).toEqual([
    ...["Skip to the workers", "Workers", "Queues", "Broker"],
    ...["9 all", "2 unhealthy", "1 unknown", "6 healthy", "filter"],
    ...["Status ↓", "Worker", "Since", "Task rate", "Busy slots"],
    ...["celery@orders-7d9f8b6c5-abcde.shop.svc", "celery@mail-2.shop.svc"],
  ]);
  await page.evaluate("document.activeElement.blur()");
  await page.getByRole("link", { name: "Skip to the workers" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("9 all");
});

test("/ goes to the filter, words narrow the list, Escape shows all again", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  await page.locator("tr.worker").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("mails healthy");
  await expect.poll(() => nodesOf(page)).toEqual(["celery@mail-2.shop.svc", "celery@mail-1.shop.svc"]);
  expect(page.url()).toBe(`${serve.url}?filter=mails+healthy`);
  expect(await page.getByRole("heading", { level: 2 }).first().textContent()).toBe("Workers 2 of 9");
  await page.reload();
  await expect.poll(() => nodesOf(page)).toEqual(["celery@mail-2.shop.svc", "celery@mail-1.shop.svc"]);
  await page.keyboard.press("/");
  await page.keyboard.type("nobody");
  await page.getByText("No worker matches: clear the filter, or press Escape.").waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(async () => (await nodesOf(page)).length).toBe(9);
  expect(page.url()).toBe(serve.url);
});

test("Enter selects a status and sorts by a column", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  await page.getByRole("button", { name: "2 unhealthy" }).press("Enter");
  expect(await nodesOf(page)).toEqual(["celery@orders-7d9f8b6c5-abcde.shop.svc", "celery@mail-2.shop.svc"]);
  expect(await page.getByRole("button", { name: "2 unhealthy" }).getAttribute("aria-pressed")).toBe("true");
  const worker = page.getByRole("columnheader", { name: "Worker" });
  await worker.getByRole("button").press("Enter");
  expect(await nodesOf(page)).toEqual(["celery@mail-2.shop.svc", "celery@orders-7d9f8b6c5-abcde.shop.svc"]);
  expect(await worker.getAttribute("aria-sort")).toBe("ascending");
  await worker.getByRole("button").press("Enter");
  expect(await nodesOf(page)).toEqual(["celery@orders-7d9f8b6c5-abcde.shop.svc", "celery@mail-2.shop.svc"]);
  expect(await worker.getAttribute("aria-sort")).toBe("descending");
});

test("an opened worker stays open and keeps the focus while the list around it changes", async () => {
  const well = ["a", "b", "c"].map((name) => worker(`celery@${name}`));
  await using serve = await startScriptedServe(fleet(well, [queue("celery")]));
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  const node = page.getByRole("button", { name: "celery@c" });
  await node.press("Enter");
  expect(await node.getAttribute("aria-expanded")).toBe("true");
  const since = ago(1);
  const hung = worker("celery@c", {
    status: "unhealthy",
    reason: "hung",
    message: "silent for 301 s",
    since,
  });
  serve.tell(fleet([hung, ...well.slice(0, 2)], [queue("celery")]));
  await page.getByText("1 of 3 workers is unhealthy").waitFor();
  await expect.poll(() => nodesOf(page)).toEqual(["celery@c", "celery@a", "celery@b"]);
  expect(await focused(page)).toBe("celery@c");
  expect(await page.locator("tr.worker dl:visible dt").first().textContent()).toBe("Last sign of life");
  await page.keyboard.press("Enter");
  expect(await node.getAttribute("aria-expanded")).toBe("false");
});
