import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { writeFile } from "../src/write-file.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "celery-probe-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true });
  });
  return made;
}

describe("writeFile", () => {
  test("makes the file when there is none, and leaves nothing beside it", () => {
    const inside = folder();
    expect(writeFile(join(inside, "state"), "one\n", 7)).toBeNull();
    expect(readFileSync(join(inside, "state"), "utf8")).toBe("one\n");
    expect(readdirSync(inside)).toEqual(["state"]);
  });

  test("puts a new file in the place of the old one when there is one: no reader sees half of it", () => {
    const path = join(folder(), "state");
    writeFileSync(path, "old");
    const before = statSync(path).ino;
    expect(writeFile(path, "new", 7)).toBeNull();
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).ino).not.toBe(before);
  });

  test("removes the file when there is no content, whether it is there or not", () => {
    const path = join(folder(), "state");
    writeFileSync(path, "old");
    expect(writeFile(path, null, 7)).toBeNull();
    expect(() => statSync(path)).toThrow("ENOENT");
    expect(writeFile(path, null, 7)).toBeNull();
  });

  test("says what is wrong in the system's words when the folder is not there", () => {
    expect(writeFile(join(folder(), "none", "state"), "x", 7)).toContain("ENOENT");
  });

  test.each([["x"], [null]])(
    "says what is wrong and leaves nothing beside it when a folder is in its place: %j",
    (content) => {
      const inside = folder();
      mkdirSync(join(inside, "state"));
      expect(writeFile(join(inside, "state"), content, 7)).toMatch(/EISDIR|EPERM|directory/i);
      expect(readdirSync(inside)).toEqual(["state"]);
    },
  );
});
