import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assetsOf } from "../../build/release/assets.ts";
import { expectTagOf, notesOf } from "../../build/release/notes.ts";

const CHANGELOG = `# Changelog

What a user saw before, and sees now.

## 0.2.0, not yet published

* New.

## 0.1.0, 2026-12-01

How it comes:

* ## is no heading here.

## 0.1, 2026-01-01

* Old.
`;

test("the notes of a release are its section, without heading", () => {
  expect(notesOf(CHANGELOG, "0.1.0")).toBe("How it comes:\n\n* ## is no heading here.\n");
  expect(notesOf(CHANGELOG, "0.1")).toBe("* Old.\n");
});

test.each([
  ["0.2.0", "CHANGELOG.md has '## 0.2.0, not yet published': expected '## 0.2.0, DATE', such as 2026-12-31"],
  ["0.3.0", "CHANGELOG.md has no section for 0.3.0: expected '## 0.3.0, DATE'"],
  ["0", "CHANGELOG.md has no section for 0: expected '## 0, DATE'"],
])("a version that is not ready has no notes: %s", (version, sentence) => {
  expect(() => notesOf(CHANGELOG, version)).toThrow(sentence);
});

test("a tag fits package.json, or is refused", () => {
  expect(() => {
    expectTagOf("0.1.0", "v0.1.0");
  }).not.toThrow();
  for (const tag of ["0.1.0", "v0.1.1", "v0.1.0-rc1", ""]) {
    expect(() => {
      expectTagOf("0.1.0", tag);
    }).toThrow(`the tag is '${tag}', and package.json has version 0.1.0: expected v0.1.0`);
  }
});

test("a release publishes its files and none of its folders, nor what only the builder needs", async () => {
  const dist = mkdtempSync(join(tmpdir(), "celery-probe-assets-"));
  try {
    const local = ["celery-probe", "README.md", "SHA256SUMS"];
    const published = ["LICENSE", "celery-probe-0.1.0-linux-amd64", "celery-probe.1"];
    for (const name of [...local, ...published]) writeFileSync(join(dist, name), "");
    mkdirSync(join(dist, "linux-amd64"));
    expect(await assetsOf(dist)).toEqual(published);
  } finally {
    rmSync(dist, { recursive: true });
  }
});
