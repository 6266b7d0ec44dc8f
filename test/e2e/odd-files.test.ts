import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OddFiles, oddFiles } from "../world/odd-files.ts";
import { probe } from "./probe.ts";

let folder: string;
let odd: OddFiles;
let before: readonly string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "celery-probe-odd-"));
  odd = await oddFiles(folder);
  before = odd.state();
});
afterAll(async () => {
  await odd.end();
  rmSync(folder, { recursive: true });
});

/** Nothing listens there. */
const NOWHERE = ["--broker", "redis://127.0.0.1:1/0", "--placement"] as const;

/** Unit tests try links. A pipe waits for ever, and devices never end. Without root there are no devices. */
const named = () => odd.names.filter((name) => ["pipe", "socket", "null", "zero"].includes(name));

/** Opening a pipe waits for its other end, for ever. In milliseconds. */
const AT_ONCE = 5_000;

describe.concurrent("a path that is not a regular file", () => {
  test.each([
    ["--state-file", [...NOWHERE, "remote"]],
    ["--pidfile", [...NOWHERE, "inside"]],
    ["--pidfile", ["beat", ...NOWHERE, "inside"]],
  ])("is refused at once and left as it is by %s of %j", async (option, words) => {
    for (const name of named()) {
      const { stderr, exitCode, ms } = await probe([...words, option, odd.path(name)]);
      expect([name, exitCode, ms < AT_ONCE]).toEqual([name, 1, true]);
      expect(stderr).toMatch(`celery-probe: ${option} '${odd.path(name)}' is a `);
      expect(stderr).toMatch(/ is a (pipe|socket|device): expected a file /);
    }
    expect(odd.state()).toEqual(before);
  });

  test.each(["--ssl-ca-certs", "--ssl-certfile"])("is reported at once by %s", async (option) => {
    for (const name of named()) {
      const { stdout, exitCode, ms } = await probe([...NOWHERE, "remote", option, odd.path(name)]);
      expect([name, exitCode, ms < AT_ONCE]).toEqual([name, 1, true]);
      expect(stdout).toMatch(/^unknown: broker-unreachable: .*\(is a (pipe|socket|device)\): /);
    }
  });

  test("is reported by doctor --log, which leaves a pipe to its reader", async () => {
    const args = ["doctor", ...NOWHERE, "remote", "--deadline", "2s", "--log", odd.path("pipe")];
    const { stdout, ms } = await probe(args);
    expect(ms).toBeLessThan(AT_ONCE);
    expect(stdout).toMatch(
      /^PROBLEM +log \S+: it is a pipe\n.*--log takes a file, or - for stdin: docker logs/m,
    );
  });

  test("is not replaced by install or report", async () => {
    for (const words of [["install"], ["report", ...NOWHERE, "remote", "--deadline", "1s"]]) {
      const links = words[0] === "report" ? ["dangling", "link-to-pipe"] : ["link-to-pipe"];
      for (const name of [...named(), ...links]) {
        const { stdout, stderr, exitCode } = await probe([...words, odd.path(name)]);
        expect([name, exitCode, stdout]).toEqual([name, 1, ""]);
        expect(stderr).toMatch(/ is (?:not a file|a [a-z ]+): expected /);
      }
    }
    expect(odd.state()).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual([...odd.names].sort());
  });
});

test("a foreign file is not used as a state file, and the line says so", async () => {
  const path = join(folder, "settings.json");
  writeFileSync(path, '{"debug": true}');
  const { stdout } = await probe([...NOWHERE, "remote", "--state-file", path]);
  expect(stdout).toContain("--state-file was not written: it holds what celery-probe has not written");
  expect(readFileSync(path, "utf8")).toBe('{"debug": true}');
});
