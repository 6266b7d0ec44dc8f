import { Redis } from "ioredis";
import { afterAll, expect, inject, test } from "vitest";
import { taskMessage } from "../world/task-message.ts";
import { expectLine, probe } from "./probe.ts";

// The last file of the run; see vitest.config.ts.
const { url, workers } = inject("canaries");
const redis = new Redis(url);
afterAll(() => {
  redis.disconnect();
});

test.each(workers)(
  "canary $node answers and consumes after all that the run has sent",
  async ({ node, queue }) => {
    expectLine(await probe(["--node", node], { CELERY_BROKER_URL: url }), 0, /^healthy: alive: /, 2_000);
    await redis.lpush(queue, taskMessage(queue, "add", [1, 2]).element);
    await expect
      .poll(async () => [await redis.llen(queue), await redis.hlen("unacked")], { timeout: 10_000 })
      .toEqual([0, 0]);
  },
);
