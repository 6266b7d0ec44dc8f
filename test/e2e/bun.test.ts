import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, inject, test } from "vitest";
import { readElf } from "../../build/link-away/elf.ts";
import { BY_BUN, EXECUTABLE, expectLine, FOR_MUSL, probe, type Probed } from "./probe.ts";

// Each difference in docs/bun.md, checked on the executable that Node runs and on the one that Bun runs.
const { url, workers } = inject("canaries");
const node = workers[0]?.node ?? "";

const ALIVE = /^healthy: alive: \S+ answered in \d+ ms$/;
const ask = (env: Record<string, string>) => probe(["--node", node], { CELERY_BROKER_URL: url, ...env });

/** The probe, started by a shell that first does something else; `$@` is the probe. */
async function askAfter(
  script: string,
  ...wrapper: readonly string[]
): Promise<Probed & { signal?: string }> {
  const args = [...wrapper, "sh", "-c", script, "sh", EXECUTABLE, "--node", node];
  const { exitCode, signal, stdout, stderr, durationMs } = await execa("env", args, {
    env: { CELERY_BROKER_URL: url, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  return { exitCode, stdout, stderr, ms: durationMs, ...(signal === undefined ? {} : { signal }) };
}

test("it needs libstdc++ unless Bun runs it, and for musl it needs only that", () => {
  const elf = readElf(readFileSync(EXECUTABLE));
  const needed = elf.needed.map(({ name }) => name);
  if (FOR_MUSL) expect(new Set(needed)).toEqual(new Set([`libc.musl-${elf.machine}.so.1`]));
  else expect([needed.includes("libc.so.6"), needed.includes("libstdc++.so.6")]).toEqual([true, !BY_BUN]);
});

test("it answers without a mounted /proc, unless Bun for glibc runs it, which aborts", async () => {
  const probed = await askAfter(
    'ulimit -c 0; mount -t tmpfs none /proc && exec "$@"',
    ...["unshare", "--mount", "--map-root-user"],
  );
  if (!BY_BUN || FOR_MUSL) {
    expectLine(probed, 0, ALIVE, 2_000);
    return;
  }
  expect(probed).toMatchObject({ exitCode: undefined, signal: "SIGABRT", stdout: "" });
  expect(probed.stderr).toMatch(/^Args: .*"--node"/m);
});

test("it answers in a removed folder, unless Bun runs it, which exits with 1", async () => {
  const folder = mkdtempSync(join(tmpdir(), "celery-probe-gone-"));
  const probed = await askAfter(`cd ${folder} && rmdir ${folder} && exec "$@"`);
  if (!BY_BUN) {
    expectLine(probed, 0, ALIVE, 2_000);
    return;
  }
  expect(probed).toMatchObject({ exitCode: 1, stdout: "" });
  expect(probed.stderr).toContain("The current working directory was deleted");
});

test("BUN_JSC_bogus=1 ends it with 1 only if Bun runs it", async () => {
  const probed = await ask({ BUN_JSC_bogus: "1" });
  if (!BY_BUN) {
    expectLine(probed, 0, ALIVE, 1_500);
    return;
  }
  expect(probed).toMatchObject({ exitCode: 1, stdout: "" });
  expect(probed.stderr).toContain("invalid JSC environment variable");
});

test.each([
  ["MIMALLOC_VERBOSE", "1", /^mimalloc: process init/],
  ["BUN_CONFIG_MAX_HTTP_REQUESTS", "x", /^error: BUN_CONFIG_MAX_HTTP_REQUESTS value "x"/],
])("%s=%s makes it noisy where Bun runs it, and does not change the verdict", async (name, value, noise) => {
  const probed = await ask({ [name]: value });
  expectLine({ ...probed, stderr: "" }, 0, ALIVE, 1_500);
  if (BY_BUN) expect(probed.stderr).toMatch(noise);
  else expect(probed.stderr).toBe("");
});
