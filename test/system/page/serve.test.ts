import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServe } from "../../e2e/start-serve.ts";
import { startBrowser, visit } from "../../world/browser.ts";
import { startServer } from "../../world/server.ts";
import { startWorker } from "../../world/worker.ts";
import { installMissing } from "../debian.ts";

let browser: Browser;

beforeAll(async () => {
  await installMissing({ chromium: "chromium" });
  browser = await startBrowser();
});

afterAll(() => browser.close());

test("the page of a real fleet shows a hung worker in red, and an outage, until both end", async () => {
  let server = await startServer();
  const { port } = server;
  await using well = await startWorker({ server, name: "celery@well", concurrency: 2 });
  await using solo = await startWorker({ server, name: "celery@solo", pool: "solo", queues: ["solo"] });
  await using serve = await startServe(["--broker", server.url(), "--busy-grace", "3s"]);
  await using visitor = await visit(browser, `${serve.shown}/`);
  const { page, complaints } = visitor;
  await page.getByText("All 2 workers are healthy").waitFor();

  await solo.taskStarted(await solo.submit("nap", 12));
  await page.getByText("1 of 2 workers is unhealthy").waitFor();
  const row = page.locator("tr.worker").first();
  expect(await row.locator("th").textContent()).toContain(solo.node);
  expect(await row.locator(".words").textContent()).toBe("unhealthyhung");
  expect(await row.locator(".fact").textContent()).toMatch(/^silent for \d+ s, longer than the 3 s grace$/);
  await expect.poll(() => page.title()).toBe("1 unhealthy · celery-probe");
  await page.getByText("All 2 workers are healthy").waitFor();
  expect(await page.locator("#queue-list h3").allTextContents()).toContain(well.queue);

  await server.stop();
  await page.getByText("The broker has been unavailable").waitFor();
  await page.getByText("refused the connection").first().waitFor();
  expect(await page.locator("#hint").textContent()).not.toBe("");
  server = await startServer({ port });
  await page.getByText("All 2 workers are healthy").waitFor();
  expect(complaints).toEqual([]);
  await server.stop();
}, 120_000);
