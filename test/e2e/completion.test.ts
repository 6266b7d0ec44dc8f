import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { probe } from "./probe.ts";

let script = "";
beforeAll(async () => {
  script = (await probe(["completion", "bash"])).stdout;
});

/** What bash offers after a line. bash itself splits `--option=value` into three words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  return offeredIn(import.meta.dirname, words);
}

async function offeredIn(cwd: string, words: readonly string[]): Promise<readonly string[]> {
  const drive = `${script}
COMP_WORDS=(celery-probe "$@"); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_celery_probe
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await execa("bash", ["--norc", "-c", drive, "bash", ...words], {
    cwd,
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test.each([
  [["do"], ["doctor"]],
  [["--min"], ["--min-nodes"]],
  [
    ["inspect", "act"],
    ["active", "active_queues"],
  ],
  [
    ["inspect", "conf", "--al"],
    ["--allow-risky", "--all"],
  ],
  [
    ["doctor", "--output", ""],
    ["text", "json"],
  ],
  [["doctor", "--output", "=", "j"], ["json"]],
  [["--placement", "i"], ["inside"]],
  [["check", "--placement", "b"], ["beside"]],
  [["help", "wa"], ["watch"]],
  [["completion", "f"], ["fish"]],
  [["report", "comp"], ["completion.test.ts"]],
  [["install", "comp"], ["completion.test.ts"]],
  [["doctor", "--log", "comp"], ["completion.test.ts"]],
  [["doctor", "--broker", "re"], []],
  [["watch", "--max-failed"], []],
] as const)("bash completes %j", async (words, expected) => {
  expect(await offered(...words)).toEqual(expected);
});

test("bash completes names with blanks as one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "celery-probe-names-"));
  writeFileSync(join(folder, "with space.txt"), "");
  expect(await offeredIn(folder, ["report", "with"])).toEqual(["with space.txt"]);
  rmSync(folder, { recursive: true });
});

test("another shell is refused", async () => {
  const { stdout, stderr, exitCode } = await probe(["completion", "tcsh"]);
  expect([stdout, exitCode]).toEqual(["", 1]);
  expect(stderr).toBe("celery-probe: unknown shell 'tcsh': expected bash, zsh or fish");
});
