import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../../world/server.ts";
import { inTerminal } from "../../world/terminal.ts";
import { EXECUTABLE, probe } from "../probe.ts";

/** What is left of each line after the terminal has carried out the cursor movements. */
function screen(output: string): readonly string[] {
  return output.split(/\r?\n/).map((line) => line.split("\x1b[K").at(-1) ?? "");
}

test.concurrent.each([80, 30])(
  "doctor fits a terminal of %s columns, and leaves no progress",
  async (columns) => {
    const env = {
      CELERY_BROKER_URL: `redis://127.0.0.1:${await freePort()}/0`,
      NO_COLOR: "1",
      TERM: "xterm",
    };
    const command = [EXECUTABLE, "doctor", "--placement", "remote"] as const;
    const { output } = await inTerminal(command, env, { columns, rows: 24 }, []);
    const lines = screen(output);
    expect(lines.filter((line) => line.startsWith("…"))).toEqual([]);
    // A word may be longer than the terminal is wide.
    const wide = lines.filter((line) => line.length > columns && line.trim().includes(" "));
    expect(wide.filter((line) => !/^(?:\s*\S+|\S+\s+\S+)$/.test(line.trim()))).toEqual([]);
    expect(lines.find((line) => line.startsWith("first: "))).toMatch(/^first: broker:/);
    const progress = output.split("\r").filter((part) => part.startsWith("\x1b[K…"));
    expect(progress.length).toBeGreaterThan(0);
    for (const part of progress) expect(part.length - "\x1b[K".length).toBeLessThan(columns);
  },
);

test.concurrent("a dumb terminal gets no colours and no progress", async () => {
  const env = { CELERY_BROKER_URL: `redis://127.0.0.1:${await freePort()}/0`, TERM: "dumb" };
  const { output } = await inTerminal(
    [EXECUTABLE, "doctor", "--placement", "remote"],
    env,
    { columns: 80, rows: 24 },
    [],
  );
  expect(output).not.toContain("\x1b");
  expect(output).toMatch(/^first: broker: /m);
});

test.concurrent("a log that shows why there is no worker comes first", async () => {
  const log = join(await mkdtemp(join(tmpdir(), "log-")), "w.log");
  writeFileSync(
    log,
    "Usage: celery [OPTIONS]\n\nError: \nUnable to load celery application.\nThe module shop was not found.\n",
  );
  const env = { CELERY_BROKER_URL: `redis://127.0.0.1:${await freePort()}/0` };
  const { stdout } = await probe(["doctor", "--placement", "remote", "--log", log], env);
  expect(stdout).toMatch(/^first: log: .*w\.log: -A names no Celery application, which ended it/m);
});
