import { setPriority } from "node:os";
import { expect, test } from "vitest";
import { freePort, type Server, startServer } from "../../world/server.ts";
import { startWorker } from "../../world/worker.ts";
import { client } from "./client.ts";
import { type Diagnosis, diagnose, saying } from "./diagnose.ts";
import { until } from "../../world/until.ts";

const remote = (server: Server, ...more: readonly string[]): Promise<Diagnosis> =>
  diagnose(["--placement", "remote", "--broker", server.url(), ...more]);

const FAILURE = {
  status: "FAILURE",
  result: { exc_type: "ValueError", exc_message: ["pin 1234"], exc_module: "builtins" },
  traceback: "Traceback: pin 1234",
  children: [],
  date_done: "2026-01-01T00:00:00.000000",
};

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "counts the failures of %s, and says of what",
  async (celery) => {
    await using server = await startServer();
    const settings = { result_backend: server.url(1), task_ignore_result: false, result_extended: true };
    await using worker = await startWorker({ server, celery, settings });
    await client(server.url(), "[add.delay('pin', n) for n in range(3)]; add.delay(1, 2)", {
      celery,
      settings,
    });
    const kept = server.client(1);
    await until("four results are kept", async () => (await kept.dbsize()) === 4);
    kept.disconnect();
    expect(worker.isRunning).toBe(true);
    const { of, stdout } = await remote(server, "--max-failed", "2");
    expect(of("failed-results")).toMatchObject([
      {
        level: "warning",
        seen: saying(
          /^3 of 4 results failed, more than 2 in .*\/1 .*; 3 × TypeError; of 3 × tasks\.add; the newest \d+ s ago$/,
        ),
      },
    ]);
    expect(stdout).not.toMatch(/\bpin\b|concatenate/);
    expect((await remote(server)).of("failed-results")).toMatchObject([{ level: "ok" }]);
  },
);

test.concurrent("signs in with the broker's password if the workers' settings mask it", async () => {
  await using server = await startServer({ password: "s3cr3t" });
  await using other = await startServer({ password: "0ther" });
  const redis = server.client(2);
  await redis.set("celery-task-meta-1", JSON.stringify(FAILURE).replace(/":/g, '": '));
  redis.disconnect();
  for (const [backend, expected] of [
    [server.url(2), { level: "warning", seen: saying(/^1 of 1 result failed, more than 0/) }],
    [other.url(), { level: "skipped", seen: saying(/is masked: set --result-backend/) }],
  ] as const) {
    await using worker = await startWorker({ server, settings: { result_backend: backend } });
    const { of, stdout } = await remote(server, "--max-failed", "0");
    expect(of("failed-results")).toMatchObject([expected]);
    expect(stdout).not.toMatch(/s3cr3t|0ther/);
    expect(worker.isRunning).toBe(true);
  }
  const told = await remote(server, "--result-backend", other.url());
  expect(told.of("failed-results")).toMatchObject([
    { level: "skipped", seen: saying(/^0 of 0 results failed.*--result-backend/) },
  ]);
  expect(told.stdout).not.toMatch(/s3cr3t|0ther/);
});

test.concurrent("takes the worker's own variable, and a backend behind TLS", async () => {
  await using server = await startServer();
  await using secured = await startServer({ tls: {} });
  const backend = `${secured.url()}?ssl_cert_reqs=CERT_NONE`;
  await using worker = await startWorker({ server, env: { CELERY_RESULT_BACKEND: backend } });
  const { of } = await diagnose(["--node", worker.node], { CELERY_BROKER_URL: server.url() });
  expect(of("failed-results")).toMatchObject([
    { level: "skipped", seen: saying(new RegExp(`rediss.*CELERY_RESULT_BACKEND of process ${worker.pid}`)) },
  ]);
});

test.concurrent.each([
  ["db+postgresql://me:w0rd@db/app", "skipped", /these are in db\+postgresql \(from --result-backend\)/],
  ["rpc://", "skipped", /these are in rpc/],
  ["disabled://", "skipped", /no results are kept/],
  ["redis://:w0rd@127.0.0.1:1/0", "warning", /^the result backend .*refused/],
] as const)("says of %s why nothing was counted", async (url, level, words) => {
  await using server = await startServer();
  const { of, stdout } = await remote(server, "--result-backend", url);
  expect(of("failed-results")).toMatchObject([{ level, seen: saying(words) }]);
  expect(stdout).not.toContain("w0rd");
});

test.concurrent(
  "reports that the workers keep no results, and looks at the broker if no setting names a backend",
  async () => {
    await using server = await startServer();
    const nobody = await remote(server);
    expect(nobody.of("failed-results")).toMatchObject([
      { level: "skipped", seen: saying(/no other is named/) },
    ]);
    await using worker = await startWorker({ server });
    expect((await remote(server)).of("failed-results")).toMatchObject([
      { level: "skipped", seen: saying(/no results are kept \(from the workers' settings\)/) },
    ]);
    expect(worker.isRunning).toBe(true);
  },
);

test.concurrent("reports a server that permits no SCAN", async () => {
  await using server = await startServer();
  const user = { username: "shy", password: "shy-word" };
  await server.addUser(user, "~*", "&*", "+@all", "-scan");
  const { of, stdout } = await remote(server, "--result-backend", server.url(0, user));
  expect(of("failed-results")).toMatchObject([{ level: "skipped", seen: saying(/refuses SCAN: NOPERM/) }]);
  expect(stdout).not.toContain("shy-word");
});

/** SLOWLOG uses the wall clock. Some of 5,000 calls are interrupted at the end of their time slice. */
const PREEMPTED = 25;

test.concurrent(
  "keeps the server busy for less than 5 ms at a time, with a million results",
  { timeout: 120_000 },
  async () => {
    await using server = await startServer();
    preferred(server.pid);
    const redis = server.client();
    const failure = JSON.stringify(FAILURE).replace(/":/g, '": ');
    for (let from = 0; from < 1_000_000; from += 10_000) {
      const pairs = Array.from({ length: 10_000 }, (_, n) => {
        const key = `celery-task-meta-00000000-0000-0000-0000-${String(from + n).padStart(12, "0")}`;
        return [key, n % 10 === 0 ? failure : '{"status": "SUCCESS", "result": 3, "traceback": null}'];
      });
      await redis.mset(pairs.flat());
    }
    // A result that takes long to copy.
    await redis.set("celery-task-meta-large", failure.slice(0, -1) + " ".repeat(100_000_000) + "}");
    expect(await redis.dbsize()).toBe(1_000_001);
    await redis.config("SET", "slowlog-log-slower-than", "5000");
    await redis.config("RESETSTAT");
    await redis.slowlog("RESET");
    const { of } = await remote(server);
    expect(of("failed-results")).toMatchObject([
      {
        level: "warning",
        seen: saying(/results failed, more than 10.*100 × ValueError.*of about 1,000,00\d keys looked at/),
      },
    ]);
    expect(await redis.slowlog("LEN")).toBeLessThan(PREEMPTED);
    const stats = await redis.info("commandstats");
    for (const command of ["scan", "getrange"]) {
      expect(meanUs(stats, command), command).toBeLessThan(1_000);
    }
    expect(stats).not.toMatch(/cmdstat_keys:/);
    redis.disconnect();
  },
);

/**
 * Gives this process priority over other tests, if the user may do so. The server is measured, not the rest of the
 * machine.
 */
function preferred(pid: number): void {
  try {
    setPriority(pid, -20);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
  }
}

function meanUs(stats: string, command: string): number {
  return Number(new RegExp(`cmdstat_${command}:.*usec_per_call=([\\d.]+)`).exec(stats)?.[1]);
}

test.concurrent("is not delayed by a backend that does not answer", async () => {
  await using server = await startServer();
  const port = await freePort();
  await using silent = await startServer({ port });
  silent.pause();
  const { of, ms } = await remote(server, "--result-backend", silent.url());
  silent.resume();
  expect(of("failed-results")).toMatchObject([
    { level: "warning", seen: saying(/no answer|did not answer|answers nothing/) },
  ]);
  expect(ms).toBeLessThan(15_000);
});
