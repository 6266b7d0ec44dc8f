import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { ending, startProbe } from "./probe.ts";

let server: Server;
let silent: ReturnType<Server["client"]>;
beforeAll(async () => {
  server = await startServer();
  silent = server.client();
  // A subscriber that answers nothing, so the command waits for its answer.
  await silent.psubscribe("/0.celery.pidbox");
});
afterAll(async () => {
  silent.disconnect();
  await server.stop();
});

test.each([
  "inspect ping --timeout=30s --placement=remote",
  "inspect conf --node=celery@silent --timeout=30s --placement=remote --output=json",
  "doctor --deadline=60s --timeout=30s --placement=remote",
  "report --deadline=60s --timeout=30s --placement=remote",
  "watch --once",
  "watch",
])("%s ends at once, with 0 or 1, when a signal says so", { timeout: 15_000 }, async (words) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const running = startProbe(words.split(" "), { CELERY_PROBE_BROKER: server.url() });
    await once(silent, "pmessage");
    const started = performance.now();
    running.kill(signal);
    const { exitCode, stderr } = await ending(running);
    expect(performance.now() - started).toBeLessThan(400);
    expect([0, 1]).toContain(exitCode);
    expect(stderr.split("\n").length).toBe(1);
  }
});
