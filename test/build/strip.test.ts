import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { strip } from "../../build/strip.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-probe-strip-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("strip leaves a Node that runs, without a tenth of its size", async () => {
  const stripped = join(folder, "node");
  await strip(process.execPath, stripped);
  expect((await stat(stripped)).size).toBeLessThan(0.9 * (await stat(process.execPath)).size);
  const { stdout } = await execa(stripped, ["--print", "process.version + crypto.randomUUID().length"]);
  expect(stdout).toBe(`${process.version}36`);
});

test("strip says what it expected when it is given another file", async () => {
  const script = join(folder, "script");
  await writeFile(script, "#!/bin/sh\n");
  await expect(strip(script, join(folder, "none"))).rejects.toThrow("script is no 64-bit little-endian ELF");
});
