import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { startBeat } from "../world/beat.ts";
import { startFlower } from "../world/flower.ts";
import { ProcessGroup } from "../world/process-group.ts";
import { startServer } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";
import { ROOT } from "./probe-image.ts";

/** The test files in which a program looks into `/proc`. */
const FILES = ["discovery", "doctor/beat", "who-answers"];

/** As long as a path in CI, or of a user with many nested folders. */
const LONG_PATH = 150;

test("the e2e tests see no programs of this machine or of another run, wherever the clone is", async () => {
  await using server = await startServer();
  await using _worker = await startWorker({ server, name: null });
  await using _flower = await startFlower(server.url());
  const beat = await startBeat(ProcessGroup, { brokerUrl: server.url() });
  const clone = await copyOfProject();
  try {
    const runs = await Promise.all([ROOT, clone].map(runE2e));
    for (const { exitCode, all } of runs) expect(exitCode, all).toBe(0);
  } finally {
    await beat.stop(0);
    rmSync(clone, { recursive: true });
  }
});

function runE2e(folder: string) {
  const files = FILES.map((name) => `test/e2e/${name}.test.ts`);
  const words = [
    "run",
    "--project",
    "e2e",
    "--maxWorkers=2",
    ...files,
    `--outputFile.json=${join(folder, "dist/e2e.json")}`,
  ];
  return execa("vitest", words, { cwd: folder, all: true, reject: false });
}

/** Keeps the times of its files, so that its executable counts as new. */
async function copyOfProject(): Promise<string> {
  const start = mkdtempSync(join(tmpdir(), "celery-probe-clone-"));
  const folder = start.padEnd(LONG_PATH, "-long");
  const { stdout } = await execa("git", ["ls-files"], { cwd: ROOT });
  for (const file of [...stdout.split("\n"), "dist"]) {
    cpSync(join(ROOT, file), join(folder, file), { recursive: true, preserveTimestamps: true });
  }
  for (const link of ["node_modules", ".cache"]) symlinkSync(join(ROOT, link), join(folder, link));
  rmSync(start, { recursive: true });
  return folder;
}
