import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { startWorker, type Worker } from "../world/worker.ts";
import { expectLine, probe } from "./probe.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/acl.md"), "utf8");

/** The rules of the page's line for `ACL SETUSER`, without name and password. */
const LEAST = (/^ACL SETUSER celery-probe on >PASSWORD (.*)$/m.exec(PAGE)?.[1] ?? "").split(" ");
const GRANTS = LEAST.filter((rule) => /^[+~&]/.test(rule) && rule !== "+select");

const USER = { username: "celery-probe", password: "least" };

describe.each(["path", "redis-6.2", "valkey"] as const)("a user of %s", (flavour) => {
  let server: Server;
  let worker: Worker;
  beforeAll(async () => {
    server = await startServer({ flavour });
    worker = await startWorker({ server, pool: "solo" });
  });
  afterAll(async () => {
    await worker.stop();
    await server.stop();
  });

  const ask = (db = 0, ...words: string[]) =>
    probe(["--node", worker.node, ...words], {
      CELERY_PROBE_BROKER: server.url(db, USER),
      CELERY_PROBE_PLACEMENT: "remote",
    });

  test("with the least rights of the page can do a whole run whose worker answers", async () => {
    await server.addUser(USER, ...LEAST.filter((rule) => rule !== "+select"));
    expectLine(await ask(), 0, /^healthy: alive: /, 2_000);
  });

  test("needs +select for other databases", async () => {
    await server.addUser(USER, ...LEAST);
    await using elsewhere = await startWorker({ server, brokerUrl: server.url(3), pool: "solo" });
    const probed = await probe(["--node", elsewhere.node], {
      CELERY_PROBE_BROKER: server.url(3, USER),
      CELERY_PROBE_PLACEMENT: "remote",
    });
    expectLine(probed, 0, /^healthy: alive: /, 2_000);
    await server.addUser(USER, ...LEAST.filter((rule) => rule !== "+select"));
    expectLine(await ask(3), 1, /^unknown: broker-refused: .* may not run SELECT: NOPERM/, 2_000);
  });

  test.each(GRANTS)("is refused without %s, and no worker is asked", async (missing) => {
    await server.addUser(USER, ...LEAST.filter((rule) => rule !== missing));
    const redis = server.client();
    const published = async () =>
      Number(/publish:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    const probed = await ask();
    expect(probed.stdout).toMatch(
      /^unknown: broker-refused: the user of redis:.* may not run [A-Z]+: (EXECABORT .*)?NOPERM/,
    );
    expect(probed.exitCode).toBe(1);
    // A user that cannot read the replies is refused only after the ping was sent.
    if (missing !== "+lrange") {
      const before = await published();
      await ask();
      // The worker's own heartbeats are also published, every two seconds.
      expect((await published()) - before).toBeLessThanOrEqual(1);
    }
    redis.disconnect();
  });
});
