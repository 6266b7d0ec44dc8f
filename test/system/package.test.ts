import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { buildByBun } from "../../build/by-bun.ts";
import { buildByNode } from "../../build/by-node.ts";
import { commit, commitTime } from "../../build/commit.ts";
import { BUNDLE } from "../../build/parts.ts";
import { SUMS } from "../../build/release/assets.ts";
import { wheelReadme } from "../../build/release/readme.ts";
import { writeWheel } from "../../build/release/wheel.ts";
import { hostTarget, nameOf, TARGETS } from "../../build/targets.ts";
import { findPython, toolVenv, uvPath } from "../world/python.ts";
import { startServer } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";
import { startOf } from "./flavour.ts";
import { ROOT, VERSION } from "./probe-image.ts";

const DIST = join(ROOT, "dist");
const NAMES = TARGETS.map(nameOf);
/** Folders of targets, and files that only this machine needs. */
const UNPUBLISHED = /^(?:linux-.*|celery-probe|README\.md)$/;
const WHEELS = TARGETS.map(({ wheelTag }) => `celery_probe-${VERSION}-py3-none-${wheelTag}.whl`);

describe("dist/ of npm run package", () => {
  test("has every file of a release, with correct checksums", async () => {
    const files = readdirSync(DIST);
    expect(files).toEqual(
      expect.arrayContaining([
        ...NAMES.flatMap((name) => [
          `celery-probe-${VERSION}-${name}`,
          `celery-probe-${VERSION}-${name}.tar.gz`,
        ]),
        ...WHEELS,
        ...["celery-probe", "celery-probe.1", "README.md", "LICENSE"],
        ...["THIRD-PARTY-LICENSES.txt", `celery-probe-${VERSION}.cdx.json`, SUMS],
      ]),
    );
    const { stdout } = await execa("sha256sum", ["--check", "--strict", SUMS], { cwd: DIST });
    const checked = stdout.split("\n").map((line) => line.replace(/: OK$/, ""));
    expect([...checked, SUMS].sort()).toEqual(files.filter((name) => !UNPUBLISHED.test(name)).sort());
  });

  test.each(TARGETS)(
    "the executable of $dockerArch $libc says what it is, and checks a worker",
    async (target) => {
      const [command, ...words] = (await startOf(target)).words;
      const run = (args: string[], env = {}) =>
        execa(command, [...words, ...args], { env: { PATH: process.env["PATH"], ...env }, extendEnv: false });
      const version = await run(["--version", "--verbose"]);
      const runtime = target.libc === "glibc" ? "Node 24\\.[\\d.]+" : "Bun [\\d.]+";
      const cache = target.libc === "glibc" ? "used" : "none";
      expect(version.stdout).toMatch(
        new RegExp(
          `^celery-probe ${VERSION}\n${runtime}, linux ${target.arch}, code cache ${cache}, commit ([0-9a-f]{12}\\+?|unknown)$`,
        ),
      );
      expect(version.stdout).toContain(`commit ${await commit()}`);

      await using server = await startServer();
      await using worker = await startWorker({ server });
      const env = { CELERY_BROKER_URL: server.url() };
      const patient = ["--node", worker.node, "--deadline=60s", "--timeout=20s", "--connect-timeout=20s"];
      expect((await run(patient, env)).stdout).toMatch(
        new RegExp(`^healthy: alive: ${worker.node} answered`),
      );
      const refused = await run([...patient, "--broker", "redis://127.0.0.1:1/0"], env).catch(
        (error: unknown) => error as { exitCode: number; stdout: string },
      );
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(refused.stdout).toMatch(/^unknown: broker-unreachable: redis:\/\/127\.0\.0\.1:1\/0 refused/);
      worker.suspend();
      const stopped = await run(["--node", worker.node, "--deadline=60s"], env).catch(
        (error: unknown) => error as { exitCode: number; stdout: string },
      );
      expect(stopped).toMatchObject({ exitCode: 1 });
      expect(stopped.stdout).toMatch(/^unhealthy: stopped: /);
      worker.resume();
    },
  );

  // The executable of the other architecture is compared on a machine that runs it natively. The gate runs on both.
  test.each(TARGETS.filter(({ arch }) => arch === process.arch))(
    "the executable of $dockerArch $libc is built the same a second time",
    async (target) => {
      const folder = mkdtempSync(join(tmpdir(), "celery-probe-again-"));
      const again = join(folder, "celery-probe");
      try {
        if (target.libc === "glibc") await buildByNode(target, BUNDLE, again);
        else await buildByBun(target, BUNDLE, again);
        expect(sha256(again)).toBe(sha256(join(DIST, nameOf(target), "celery-probe")));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test("the list of its parts is valid CycloneDX, with the runtimes and without this machine", async () => {
    const venv = await toolVenv("cyclonedx", ["cyclonedx-python-lib[json-validation]==11.12.0"]);
    const file = join(DIST, `celery-probe-${VERSION}.cdx.json`);
    const validate = [
      "import sys; from cyclonedx.schema import SchemaVersion; from cyclonedx.validation.json import JsonStrictValidator",
      "print(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))",
    ].join("\n");
    expect((await execa(join(venv, "bin/python"), ["-c", validate, file])).stdout).toBe("None");
    const bom = JSON.parse(readFileSync(file, "utf8")) as { components: { name: string }[] };
    const names = bom.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["ioredis", "uuid", "libstdc++"]));
    expect(names).toEqual(expect.arrayContaining(TARGETS.map(({ runtime }) => runtime)));
    expect(names).not.toContain("@oven/bun-linux-x64-baseline");
    expect(readFileSync(file, "utf8")).toContain('"openssl"');
    expect(readFileSync(file, "utf8")).not.toContain(ROOT);
  });

  test("the licences cover everything in it", () => {
    const text = readFileSync(join(DIST, "THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["ioredis 6", "denque 2", "uuid 14", "Node.js 24", "Bun 1", "libstdc++"])
      expect(text).toContain(name);
    for (const words of [
      "GNU LIBRARY GENERAL PUBLIC LICENSE",
      "GNU GENERAL PUBLIC LICENSE\n                       Version 3",
      "Copyright Node.js contributors",
      "Copyright (c) 2015-2022 Zihua Li",
      'THE SOFTWARE IS PROVIDED "AS IS"',
    ])
      expect(text).toContain(words);
  });

  test.each(TARGETS)("the executable of $dockerArch $libc does not say where it was built", (target) => {
    expect(readFileSync(join(DIST, nameOf(target), "celery-probe")).includes(ROOT)).toBe(false);
  });
});

describe("the wheels", () => {
  test("are what twine and check-wheel-contents expect of a wheel without a library", async () => {
    const venv = await toolVenv("wheels", ["twine==7.0.0", "check-wheel-contents==0.6.3"]);
    const paths = WHEELS.map((name) => join(DIST, name));
    const { stdout } = await execa(join(venv, "bin/twine"), ["check", "--strict", ...paths]);
    expect(stdout.match(/PASSED/g)).toHaveLength(WHEELS.length);
    // W007 means that the wheel's library is empty. It is, because it contains no Python.
    await execa(join(venv, "bin/check-wheel-contents"), ["--ignore", "W007", ...paths]);
  });

  test.each(TARGETS)(
    "of $wheelTag holds the executable, to be run, and is for no other machine",
    async (target) => {
      const python = await findPython();
      const wheel = join(DIST, `celery_probe-${VERSION}-py3-none-${target.wheelTag}.whl`);
      const look = [
        "import hashlib, json, sys, zipfile",
        "archive = zipfile.ZipFile(sys.argv[1])",
        "name = next(name for name in archive.namelist() if name.endswith('.data/scripts/celery-probe'))",
        "mode = oct(archive.getinfo(name).external_attr >> 16)",
        "tag = archive.read(next(name for name in archive.namelist() if name.endswith('/WHEEL'))).decode()",
        "print(json.dumps([mode, hashlib.sha256(archive.read(name)).hexdigest(), tag]))",
      ].join("\n");
      const { stdout } = await execa(python.path, ["-c", look, wheel]);
      const [mode, hash, about] = JSON.parse(stdout) as [string, string, string];
      expect(mode).toBe("0o100755");
      expect(hash).toBe(sha256(join(DIST, nameOf(target), "celery-probe")));
      expect(about.match(/^Tag: .*$/gm)).toEqual([`Tag: py3-none-${target.wheelTag}`]);
    },
  );

  test.each(["pip", "uv"] as const)(
    "are installed by %s, upgraded and uninstalled, and run from the environment without Python",
    async (installer) => {
      const folder = mkdtempSync(join(tmpdir(), "celery-probe-wheel-"));
      try {
        const older = await olderWheel(folder);
        const python = await findPython();
        await execa(python.path, ["-m", "venv", join(folder, "venv")]);
        const inside = join(folder, "venv/bin/python");
        const uv = await uvPath();
        const env = { UV_CACHE_DIR: join(folder, "uv-cache") };
        const pip = (...args: string[]) =>
          installer === "pip"
            ? execa(inside, ["-m", "pip", ...args])
            : execa(uv, ["pip", ...args.filter((word) => word !== "--yes"), "--python", inside], { env });
        const probe = join(folder, "venv/bin/celery-probe");

        await pip("install", "--no-index", older);
        const source = ["--no-index", "--find-links", DIST];
        expect((await execa(probe, ["--version"])).stdout).toBe(`celery-probe ${VERSION}`);
        expect((await pip("show", "celery-probe")).stdout).toMatch(/^Version: 0\.0\.1$/m);

        // pip takes the one for this machine from the four in the folder.
        await pip("install", ...source, "--upgrade", "celery-probe");
        expect((await pip("show", "celery-probe")).stdout).toMatch(new RegExp(`^Version: ${VERSION}$`, "m"));
        expect(sha256(probe)).toBe(sha256(join(DIST, "celery-probe")));
        const { stdout } = await execa(probe, ["--version"], { env: {}, extendEnv: false });
        expect(stdout).toBe(`celery-probe ${VERSION}`);

        await pip("uninstall", "--yes", "celery-probe");
        expect(existsSync(probe)).toBe(false);
        expect(readdirSync(join(folder, "venv/lib"), { recursive: true }).join()).not.toContain(
          "celery_probe",
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

/** A wheel of an earlier version, for this machine. */
async function olderWheel(folder: string): Promise<string> {
  const name = await writeWheel(folder, {
    target: hostTarget("glibc"),
    version: "0.0.1",
    executable: join(DIST, "celery-probe"),
    readme: wheelReadme(),
    licences: {},
    time: await commitTime(),
  });
  return join(folder, name);
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
