import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { probe } from "../probe.ts";
import { diagnose, saying } from "./diagnose.ts";

/** The log of a worker that never started. */
async function logFile(): Promise<string> {
  const log = join(await mkdtemp(join(tmpdir(), "log-")), "w.log");
  writeFileSync(log, "Error: \nUnable to load celery application.\nThe module shop was not found.\n");
  return log;
}

const REMOTE = ["--placement", "remote"];
const URL = "redis://:s3cret@cache:$(REDIS_PORT)/0";
const WORDS = saying(
  /^the broker URL 'redis:\/\/:\*\*\*@cache:.*' has '\$\(REDIS_PORT\)' instead of its port/,
);

test.concurrent.each([
  ["by CELERY_BROKER_URL", [], { CELERY_BROKER_URL: URL }],
  ["by --broker", ["--broker", URL], {}],
  ["by CELERY_PROBE_BROKER", [], { CELERY_PROBE_BROKER: URL }],
  ["by the variable of --broker-env", ["--broker-env", "QUEUE"], { QUEUE: URL }],
])("doctor tells all it can where the broker's URL cannot be read, given %s", async (_, args, env) => {
  const log = await logFile();
  const { of, stdout, stderr, exitCode } = await diagnose([...REMOTE, ...args, "--log", log], env);
  expect(of("broker")).toMatchObject([{ level: "problem", seen: WORDS }]);
  expect(of("log")).toMatchObject([{ level: "problem", about: log }]);
  expect(stdout + stderr).not.toContain("s3cret");
  expect(exitCode).toBe(1);
  const text = await probe(["doctor", ...REMOTE, ...args, "--log", log], env);
  expect(text.stdout).toMatch(/^PROBLEM +log .*-A names no Celery application/m);
});

test.concurrent("report is written even when the broker's URL cannot be read", async () => {
  const log = await logFile();
  const env = { CELERY_BROKER_URL: URL };
  const { stdout, exitCode } = await probe(["report", ...REMOTE, "--log", log], env);
  expect(stdout).toMatch(/^# celery-probe report/);
  expect(stdout).toContain("-A names no Celery application");
  expect(stdout).toContain("instead of its port");
  expect(stdout).not.toContain("s3cret");
  expect(exitCode).toBe(0);
});

test.concurrent("the write URL is the broker's too, and other commands refuse either one", async () => {
  const args = ["--broker", "redis://127.0.0.1:1/0", "--broker-write-url", URL];
  const { of } = await diagnose([...REMOTE, ...args]);
  expect(of("broker")).toMatchObject([{ level: "problem", seen: WORDS }]);
  for (const command of ["check", "inspect", "watch"]) {
    const words = command === "inspect" ? [command, "ping"] : [command];
    const { stderr, exitCode } = await probe([...words, ...args]);
    expect(stderr).toContain("instead of its port");
    expect(exitCode).toBe(1);
  }
});
