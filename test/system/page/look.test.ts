import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser, visit } from "../../world/browser.ts";
import { ago, fleet, queue, worker } from "../../world/scripted-fleet.ts";
import { startScriptedServe } from "../../world/scripted-serve.ts";
import { shopFleet } from "../../world/shop-fleet.ts";
import { installMissing } from "../debian.ts";
import { nodesOf, tooPale, tooWide } from "./looks.ts";

let browser: Browser;

beforeAll(async () => {
  await installMissing({ chromium: "chromium" });
  browser = await startBrowser();
});

afterAll(() => browser.close());

const { broker, rounds } = fleet([], []).workers;
const LONG = `celery@${"web-7d9f8b6c5-abcde.".repeat(8)}default.svc.cluster.local`;
const HOSTILE = '<img src=x onerror="document.title=1">';

/** The fleets that the page is checked with. */
const FLEETS = {
  "some workers are ill": shopFleet(),
  "nothing is known yet": null,
  "workers are listened for": fleet([], [], {
    rounds: { ...rounds, done: 0, last: null, duration_ms: null },
  }),
  "there is no worker": fleet([], []),
  "there is one worker": fleet([worker("celery@web-1")], [queue("celery")]),
  "the broker is down": fleet(
    [worker("celery@web-1", { status: "unknown", reason: "broker-unreachable" })],
    [queue("celery", { length: null, trend: [] })],
    {
      broker: { ...broker, up: false, rtt_ms: null, message: "redis refused the connection", since: ago(48) },
    },
  ),
  "there are twelve queues": fleet(
    [worker("celery@web-1", { queues: Array.from({ length: 12 }, (_, at) => `queue-${at}`) })],
    Array.from({ length: 12 }, (_, at) =>
      queue(`queue-${at}`, { length: at ** 5, consumers: at % 3, nonempty_since: ago(at * 1_000) }),
    ),
  ),
  "names are long": fleet(
    [worker(LONG, { status: "unhealthy", reason: "not-consuming", queues: [LONG, "x".repeat(300)] })],
    [queue(LONG, { length: 133_100 }), queue("x".repeat(300))],
  ),
  "names are hostile": fleet(
    [
      worker(HOSTILE, {
        ...{ status: "unhealthy", reason: "hung", message: HOSTILE, hint: HOSTILE },
        ...{ queues: [HOSTILE, "</script><script>document.title=1</script>", "\u202eorder"] },
        oldest_task: { name: HOSTILE, age_s: 1 },
      }),
    ],
    [queue(HOSTILE)],
  ),
} as const;

const WINDOWS = [
  ["light", 1_400],
  ["dark", 1_400],
  ["light", 360],
  ["dark", 360],
] as const;

describe.each(WINDOWS)("%s, %i px wide", (colorScheme, width) => {
  test.each(Object.entries(FLEETS))("everything can be read when %s", async (_, seen) => {
    await using serve = await startScriptedServe(seen);
    await using visitor = await visit(browser, serve.url, { colorScheme, viewport: { width, height: 800 } });
    const { page, complaints } = visitor;
    if (seen !== null) await page.getByText("live", { exact: true }).waitFor();
    for (const node of await page.locator("button.node").all()) await node.click();
    expect(await tooWide(page)).toEqual([]);
    expect(await tooPale(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

test("foreign names stay text", async () => {
  await using serve = await startScriptedServe(FLEETS["names are hostile"]);
  await using visitor = await visit(browser, serve.url);
  const { page } = visitor;
  await page.locator("button.node").click();
  expect(await nodesOf(page)).toEqual([HOSTILE]);
  expect(await page.locator("main img, main script").count()).toBe(0);
  expect(await page.title()).toBe("1 unhealthy · celery-probe");
  expect(await page.locator(".fact").first().textContent()).toBe(HOSTILE);
});

test("each state has its own word and shape, for people who see no colours", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url, { forcedColors: "active" });
  const { page } = visitor;
  await page.locator("tr.worker").first().waitFor();
  const signs = new Set<string>();
  for (const status of await page.locator("td.status").all()) {
    const word = await status.locator(".word").textContent();
    signs.add(`${word} ${await status.locator("use").getAttribute("href")}`);
  }
  expect([...signs]).toEqual(["unhealthy #icon-unhealthy", "unknown #icon-unknown", "healthy #icon-healthy"]);
});

test("nothing moves by itself when the system asks for no motion", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url, { reducedMotion: "reduce" });
  await visitor.page.locator("tr.worker").first().waitFor();
  const moving = await visitor.page.evaluate<number>(
    "[...document.querySelectorAll('*')].filter((one) => { const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(one); return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior !== 'auto' }).length",
  );
  expect(moving).toBe(0);
});

test("a screen reader finds a table with its columns, on a phone too", async () => {
  await using serve = await startScriptedServe(shopFleet());
  await using visitor = await visit(browser, serve.url, { viewport: { width: 360, height: 800 } });
  const { page } = visitor;
  await page.locator("tr.worker").first().waitFor();
  const table = page.getByRole("table", { name: "Workers" });
  expect(await table.getByRole("row").count()).toBe(10);
  expect(await table.getByRole("columnheader").allTextContents()).toEqual([
    "Status ↓",
    "Worker",
    "Since",
    "Task rate",
    "Busy slots",
    "Queues",
    "Why",
  ]);
  const row = table.getByRole("row").nth(1);
  expect(await row.getByRole("rowheader").getByRole("button").textContent()).toBe(
    "celery@orders-7d9f8b6c5-abcde.shop.svc",
  );
  expect(await row.getByRole("cell").count()).toBe(6);
});
