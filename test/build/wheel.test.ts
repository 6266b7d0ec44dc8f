import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeWheel } from "../../build/release/wheel.ts";
import { hostTarget, type Target, TARGETS } from "../../build/targets.ts";
import manifest from "../../package.json" with { type: "json" };
import { findPython } from "../world/python.ts";

/** 2001-09-09 01:46:40 UTC */
const TIME = 1_000_000_000;

const LICENCES = { LICENSE: "ours\n", "THIRD-PARTY-LICENSES.txt": "théirs\n" };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "celery-probe-wheel-test-"));
  writeFileSync(join(folder, "celery-probe"), "\x7fELF and so on");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function made(target: Target): Promise<string> {
  const inside = mkdtempSync(join(folder, "made-"));
  const name = await writeWheel(inside, {
    target,
    version: "1.2.3",
    executable: join(folder, "celery-probe"),
    readme: "# words\n",
    licences: LICENCES,
    time: TIME,
  });
  return join(inside, name);
}

interface Entry {
  readonly name: string;
  readonly mode: string;
  readonly time: readonly number[];
  readonly size: number;
  readonly sha256: string;
  readonly text: string;
}

/** What Python's zipfile, and with it pip, sees in it. */
async function entriesOf(path: string): Promise<readonly Entry[]> {
  const look = [
    "import base64, hashlib, json, sys, zipfile",
    "archive = zipfile.ZipFile(sys.argv[1])",
    "digest = lambda data: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()",
    "print(json.dumps([dict(name=i.filename, mode=oct(i.external_attr >> 16), time=i.date_time, size=i.file_size,",
    "  sha256=digest(archive.read(i)), text=archive.read(i).decode('utf8')) for i in archive.infolist()]))",
  ].join("\n");
  const { path: python } = await findPython();
  const { stdout } = await execa(python, ["-c", look, path]);
  return JSON.parse(stdout) as readonly Entry[];
}

test.each(TARGETS)("is called and tagged for $wheelTag", async (target) => {
  const path = await made(target);
  expect(basename(path)).toBe(`celery_probe-1.2.3-py3-none-${target.wheelTag}.whl`);
  const about = (await entriesOf(path)).find(({ name }) => name === "celery_probe-1.2.3.dist-info/WHEEL");
  expect(about?.text.split("\n")).toEqual([
    "Wheel-Version: 1.0",
    "Generator: celery-probe (1.2.3)",
    "Root-Is-Purelib: false",
    `Tag: py3-none-${target.wheelTag}`,
    "",
  ]);
});

test("has the executable, the licences and what is said about them, with the given time", async () => {
  const entries = await entriesOf(await made(hostTarget("glibc")));
  expect(entries.map(({ name, mode }) => [name, mode])).toEqual([
    ["celery_probe-1.2.3.data/scripts/celery-probe", "0o100755"],
    ["celery_probe-1.2.3.dist-info/licenses/LICENSE", "0o100644"],
    ["celery_probe-1.2.3.dist-info/licenses/THIRD-PARTY-LICENSES.txt", "0o100644"],
    ["celery_probe-1.2.3.dist-info/METADATA", "0o100644"],
    ["celery_probe-1.2.3.dist-info/WHEEL", "0o100644"],
    ["celery_probe-1.2.3.dist-info/RECORD", "0o100644"],
  ]);
  for (const { time } of entries) expect(time).toEqual([2001, 9, 9, 1, 46, 40]);
  expect(entries[0]?.text).toBe("\x7fELF and so on");
  const about = entries[3]?.text ?? "";
  expect(about).toMatch(/^Metadata-Version: 2\.4\nName: celery-probe\nVersion: 1\.2\.3\n/);
  expect(about.match(/^License-File: .*$/gm)).toEqual(
    Object.keys(LICENCES).map((name) => `License-File: ${name}`),
  );
  expect(about).toContain(`\nSummary: ${manifest.description}\n`);
  expect(about).toMatch(/\n\n# words\n$/);
});

test("its RECORD has digest and size of every file but itself", async () => {
  const entries = await entriesOf(await made(hostTarget("glibc")));
  const record = entries.find(({ name }) => name.endsWith("/RECORD"));
  expect(record?.text.split("\n")).toEqual([
    ...entries
      .filter((entry) => entry !== record)
      .map(({ name, sha256, size }) => `${name},sha256=${sha256},${size}`),
    `${record?.name ?? ""},,`,
    "",
  ]);
});

test("has the same bytes a second time, in another zone too", async () => {
  const target = hostTarget("glibc");
  const zone = process.env["TZ"];
  const wheels: Buffer[] = [];
  try {
    for (const tz of ["UTC", "UTC", "Asia/Kolkata", "America/St_Johns"]) {
      process.env["TZ"] = tz;
      wheels.push(readFileSync(await made(target)));
    }
  } finally {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  }
  for (const other of wheels) expect(wheels[0]?.equals(other)).toBe(true);
});
