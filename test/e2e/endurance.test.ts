import { expect, test } from "vitest";
import { startOutages, startRush, type Use } from "../adversity/endurance.ts";
import { EXECUTABLE } from "./probe.ts";

// `npm run test:adversity` runs the long forms.

test.concurrent("restarts of the broker do not end serve and give no healthy worker a 503", async () => {
  await using outages = await startOutages(EXECUTABLE);
  const wrongs: string[] = [];
  for (const ms of [0, 1_000]) wrongs.push(...(await outages.outage(ms)));
  expect(wrongs).toEqual([]);
  expect(outages.serve.isRunning()).toBe(true);
});

test.concurrent(
  "workers that come and go with new names leave no series and no open file behind",
  async () => {
    await using rush = await startRush(EXECUTABLE);
    const uses: Use[] = [];
    for (let step = 0; step < 5; step++) uses.push(await rush.step(5));
    for (const { series, mostSeries } of uses) expect(series).toBeLessThan(mostSeries);
    expect(Math.min(...uses.slice(-2).map(({ openFiles }) => openFiles))).toBeLessThanOrEqual(
      Math.max(...uses.slice(0, 2).map(({ openFiles }) => openFiles)),
    );
    expect(Math.max(...uses.map(({ resident }) => resident))).toBeLessThan(100_000_000);
  },
);
