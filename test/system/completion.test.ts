import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { installMissing } from "./debian.ts";
import { ROOT } from "./probe-image.ts";

const EXECUTABLE = join(ROOT, "dist/celery-probe");

beforeAll(async () => {
  await installMissing({ zsh: "zsh", fish: "fish", man: "man-db" });
});

const scriptFor = async (shell: string) => (await execa(EXECUTABLE, ["completion", shell])).stdout;

test.each([
  ["celery-probe do", ["doctor"]],
  ["celery-probe inspect act", ["active", "active_queues"]],
  ["celery-probe doctor --output ", ["json", "text"]],
  ["celery-probe --placement i", ["inside"]],
  ["celery-probe watch --inter", ["--interval"]],
])("fish completes '%s'", async (line, expected) => {
  const script = `${await scriptFor("fish")}\ncomplete -C ${JSON.stringify(line)}`;
  const { stdout } = await execa("fish", ["--no-config", "-c", script]);
  expect(
    stdout
      .split("\n")
      .map((row) => row.split("\t")[0])
      .sort(),
  ).toEqual(expected);
});

test.each([
  ["celery-probe do", "celery-probe doctor "],
  ["celery-probe inspect active_", "celery-probe inspect active_queues "],
  ["celery-probe doctor --output j", "celery-probe doctor --output json "],
  ["celery-probe doctor --output=j", "celery-probe doctor --output=json "],
  ["celery-probe watch --inter", "celery-probe watch --interval "],
])("zsh completes '%s'", async (line, expected) => {
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-zsh-"));
  try {
    await writeFile(join(folder, "_celery-probe"), await scriptFor("zsh"));
    // Completion works only in a terminal, which zsh's own zpty provides. Ctrl-X writes the content of the line to a
    // file.
    await writeFile(
      join(folder, "rc"),
      `fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D
dump() { print -rn -- $BUFFER >${folder}/line; exit }; zle -N dump; bindkey '^X' dump; print READ''Y`,
    );
    const drive = `zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell 'source ${folder}/rc'
zpty -r shell out '*READY*'
zpty -wn shell "$1"$'\\t\\x18'
zpty -r shell out '*NEVER*'`;
    await execa("zsh", ["-f", "-c", drive, "zsh", line], { timeout: 30_000, reject: false });
    expect(await readFile(join(folder, "line"), "utf8")).toBe(expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("man shows the page without an error message", async () => {
  const { stdout, stderr } = await execa("man", ["--warnings", "-l", join(ROOT, "dist/celery-probe.1")], {
    env: { MANPAGER: "cat", MANWIDTH: "100", LANG: "C.UTF-8" },
  });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/--busy-grace DURATION/);
});
