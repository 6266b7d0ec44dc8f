import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser, visit } from "../../world/browser.ts";
import { ago, fleet, queue, worker } from "../../world/scripted-fleet.ts";
import { startScriptedServe } from "../../world/scripted-serve.ts";
import { installMissing } from "../debian.ts";

let browser: Browser;

beforeAll(async () => {
  await installMissing({ chromium: "chromium" });
  browser = await startBrowser();
});

afterAll(() => browser.close());

const LOOKS = 8;

/** The most milliseconds of the page's thread for the fastest of some updates. The slower ones met other programs. */
const MOST_MS = 50;

/** A thousand workers. Every number of theirs changes from look to look. */
const thousand = (look: number) =>
  fleet(
    Array.from({ length: 1_000 }, (_, at) => {
      const trend = Array.from({ length: 60 }, (__, point) => (at + point * look) % 11);
      const [per_second, active] = [(at + look) % 9, (at + look) % 5];
      const moving = { per_second, active, trend, processed: at * 100 + look };
      return worker(
        `celery@web-${at}.shop.svc`,
        at < 3 ? { ...moving, status: "unhealthy", reason: "hung" } : moving,
      );
    }),
    Array.from({ length: 12 }, (_, at) => queue(`queue-${at}`, { length: at * look })),
    { at: ago(-look) },
  );

test.each([
  ["200 that are shown at first", 200],
  ["all 1,000", 1_000],
])("the page takes a thousand workers every second, with the %s", async (_, rows) => {
  await using serve = await startScriptedServe(thousand(0));
  await using visitor = await visit(browser, serve.url, { viewport: { width: 1_400, height: 900 } });
  const { page, complaints } = visitor;
  await page.getByText("3 of 1,000 workers are unhealthy").waitFor();
  if (rows === 1_000) await page.getByRole("button", { name: "Show all 1,000 workers" }).click();
  expect(await page.locator("tr.worker").count()).toBe(rows);
  await page.evaluate("scrollTo(0, 0)");
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const took: number[] = [];
  for (let look = 1; look <= LOOKS; look++) {
    const before = await busyMs(session);
    serve.tell(thousand(look));
    await expect.poll(() => rateOf(page, 4)).toBe(`${(4 + look) % 9}/s`);
    took.push((await busyMs(session)) - before);
  }
  console.log(`${rows} rows: ${took.map((ms) => ms.toFixed(0)).join(", ")} ms an update`);
  expect(Math.min(...took)).toBeLessThan(MOST_MS);
  // A row that was out of sight has its figures as soon as it comes into sight.
  await page
    .locator("tr.worker")
    .nth(rows - 1)
    .scrollIntoViewIfNeeded();
  await expect.poll(() => rateOf(page, rows - 1)).toBe(`${(rows - 1 + LOOKS) % 9}/s`);
  expect(complaints).toEqual([]);
});

const rateOf = (page: Page, row: number) => page.locator("td.rate .number").nth(row).textContent();

/** The time that the page's thread has spent on script, style and layout. */
async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  const spent = metrics.filter(({ name }) => /^(?:Script|RecalcStyle|Layout)Duration$/.test(name));
  return spent.reduce((sum, { value }) => sum + value * 1_000, 0);
}
