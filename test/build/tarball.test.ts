import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTarball } from "../../build/release/tarball.ts";

/** 2001-09-09 01:46:40 UTC */
const TIME = 1_000_000_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "celery-probe-tarball-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Writes `release-1.tar.gz` of a program and a text; what else is true of the files must make no difference. */
async function made(name: string, umask: number, modifiedS: number, order: 1 | -1): Promise<string> {
  const root = mkdtempSync(join(folder, `${name}-`));
  const [program, text] = [join(root, "program"), join(root, "text")];
  const before = process.umask(umask);
  try {
    writeFileSync(program, "#!/bin/sh\n");
    chmodSync(program, 0o777 & ~umask);
    writeFileSync(text, "words\n".repeat(1_000));
    for (const path of [program, text]) utimesSync(path, modifiedS, modifiedS);
    const files = [["celery-probe", program] as const, ["LICENSE", text] as const];
    const path = join(root, "release-1.tar.gz");
    await writeTarball(path, Object.fromEntries(order === 1 ? files : files.reverse()), TIME);
    return path;
  } finally {
    process.umask(before);
  }
}

test("has one folder with the files, of root, with the given time, the program executable for all", async () => {
  const path = await made("entries", 0o022, 5, 1);
  const { stdout } = await execa("tar", ["-tvzf", path, "--numeric-owner", "--full-time"], {
    env: { TZ: "UTC" },
  });
  expect(stdout.split("\n").map((line) => line.replaceAll(/ +/g, " "))).toEqual([
    "drwxr-xr-x 0/0 0 2001-09-09 01:46:40 release-1/",
    "-rw-r--r-- 0/0 6000 2001-09-09 01:46:40 release-1/LICENSE",
    "-rwxr-xr-x 0/0 10 2001-09-09 01:46:40 release-1/celery-probe",
  ]);
});

test("holds what the files hold", async () => {
  const path = await made("content", 0o022, 5, 1);
  const { stdout } = await execa("tar", ["-xOzf", path, "release-1/celery-probe"]);
  expect(stdout).toBe("#!/bin/sh");
});

test("has the same bytes whatever the umask, the times of the files and their order", async () => {
  const [one, other] = [await made("one", 0o022, 5, 1), await made("other", 0o077, 1_700_000_000, -1)];
  expect(sha256(other)).toBe(sha256(one));
  // RFC 1952: neither a name nor a time in front of the data.
  expect(readFileSync(one).subarray(3, 8)).toEqual(Buffer.alloc(5));
});

test("fails where a file is missing", async () => {
  const path = join(folder, "none-1.tar.gz");
  await expect(writeTarball(path, { LICENSE: join(folder, "missing") }, TIME)).rejects.toThrow("ENOENT");
});

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
