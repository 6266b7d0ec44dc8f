import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  leftIn,
  namesIn,
  readFile,
  removeFile,
  replaceFile,
  withFile,
  writeAll,
} from "../../src/machine/regular-file.ts";
import { success } from "../../src/outcome.ts";
import { type OddFiles, oddFiles } from "../world/odd-files.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "celery-probe-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true });
  });
  return made;
}

async function odd(): Promise<OddFiles> {
  const made = await oddFiles(folder());
  onTestFinished(made.end);
  return made;
}

const MOST = 100_000;
const UUID = "01234567-89ab-4def-8123-456789abcdef";
const UNFINISHED = `.celery-probe.${UUID}`;

function read(path: string, links: "followed" | "refused" = "followed") {
  const content = readFile(path, MOST, links);
  return content.ok ? content.value.toString("utf8") : `${content.problem.kind}: ${content.problem.detail}`;
}

function write(path: string, content: string) {
  return replaceFile(path, UUID, 0o644, (fd) => {
    writeAll(fd, Buffer.from(content));
  });
}

/** What the devices are called that only root can make. */
const ODD: Readonly<Record<string, string>> = {
  pipe: "unfit: a pipe",
  socket: "unfit: a socket",
  folder: "unfit: a folder",
  dangling: "gone: ENOENT",
  loop: "failed: ELOOP",
  "link-to-pipe": "unfit: a pipe",
  null: "unfit: a device",
  zero: "unfit: a device",
};

describe("readFile", () => {
  test("takes nothing but a regular file, at once", async () => {
    const { names, path } = await odd();
    for (const name of names) expect([name, read(path(name))]).toEqual([name, ODD[name]]);
  });

  test("follows a link at the end of the path only when it shall", () => {
    const inside = folder();
    writeFileSync(join(inside, "real"), "text");
    symlinkSync("real", join(inside, "link"));
    symlinkSync(".", join(inside, "here"));
    expect(read(join(inside, "link"))).toBe("text");
    expect(read(join(inside, "link"), "refused")).toBe("unfit: a symbolic link");
    expect(read(join(inside, "here/real"), "refused")).toBe("text");
  });

  test("reads a file without a size to its end, such as one of /proc", () => {
    expect(statSync("/proc/self/status").size).toBe(0);
    expect(read("/proc/self/status")).toMatch(/^Name:[^]*\n$/);
  });

  test("reads no more than it may, whatever the size says", () => {
    const path = join(folder(), "long");
    writeFileSync(path, "");
    truncateSync(path, MOST);
    expect(read(path)).toHaveLength(MOST);
    truncateSync(path, 1e12);
    expect(read(path)).toBe(`unfit: longer than ${MOST} bytes`);
    // All of it is there only when it is read.
    expect(readFile("/proc/self/status", 100, "followed")).toMatchObject({ problem: { kind: "unfit" } });
  });

  test("ends with a file that grows as fast as it is read", () => {
    const path = join(folder(), "log");
    writeFileSync(path, "x");
    const seen = withFile(path, "followed", (_, { size }) => {
      appendFileSync(path, "y".repeat(2 * MOST));
      return success(size);
    });
    expect(seen).toEqual({ ok: true, value: 1 });
    expect(read(path)).toBe(`unfit: longer than ${MOST} bytes`);
  });

  test("says what the system refuses", () => {
    expect(read(join(folder(), "none"))).toBe("gone: ENOENT");
    expect(read("/proc/self/status/none")).toBe("gone: ENOTDIR");
    expect(read("x".repeat(300))).toBe("failed: ENAMETOOLONG");
    expect(read("a\0b")).toBe("failed: ERR_INVALID_ARG_VALUE");
  });

  test("throws what is a fault of ours", () => {
    const path = join(folder(), "file");
    writeFileSync(path, "");
    const fail = () => {
      throw new Error("ours");
    };
    expect(() => withFile(path, "followed", fail)).toThrow("ours");
  });
});

describe("replaceFile", () => {
  test("makes a missing file, and leaves nothing beside it", () => {
    const inside = folder();
    expect(write(join(inside, "state"), "one\n")).toBeNull();
    expect(readFileSync(join(inside, "state"), "utf8")).toBe("one\n");
    expect(readdirSync(inside)).toEqual(["state"]);
  });

  test("replaces the old file at once, so that no reader sees half of it and no other name of it changes", () => {
    const inside = folder();
    const [path, other] = [join(inside, "state"), join(inside, "other")];
    writeFileSync(path, "old");
    linkSync(path, other);
    expect(write(path, "new")).toBeNull();
    expect([readFileSync(path, "utf8"), readFileSync(other, "utf8")]).toEqual(["new", "old"]);
  });

  test("says what is wrong when the folder is missing, or cannot make files", () => {
    expect(write(join(folder(), "none", "state"), "x")).toMatchObject({ cause: "no-folder" });
    expect(write("/proc/state", "x")).toEqual({
      cause: "other",
      detail: "ENOENT: no such file or directory",
    });
  });

  test("replaces only regular files, and removeFile removes only these", async () => {
    const { names, path, state } = await odd();
    const before = state();
    for (const name of names) {
      const isLink = ["dangling", "loop", "link-to-pipe"].includes(name);
      const detail = isLink ? "a symbolic link" : (ODD[name] ?? "").replace("unfit: ", "");
      expect([name, write(path(name), "x")]).toEqual([name, { cause: "unfit", detail }]);
      expect([name, removeFile(path(name))]).toEqual([name, { cause: "unfit", detail }]);
    }
    expect(state()).toEqual(before);
    expect(readdirSync(join(path("pipe"), "..")).sort()).toEqual([...names].sort());
  });

  test.each(["link", "pipe", "file"])(
    "writes through no %s that stands under the unfinished name",
    (kind) => {
      const inside = folder();
      const [precious, planted] = [join(inside, "precious"), join(inside, UNFINISHED)];
      writeFileSync(precious, "root's");
      if (kind === "link") symlinkSync(precious, planted);
      else if (kind === "pipe") execFileSync("mkfifo", [planted]);
      else writeFileSync(planted, "planted");
      expect(write(join(inside, "state"), "x")).toEqual({
        cause: "other",
        detail: "EEXIST: file already exists",
      });
      expect(readFileSync(precious, "utf8")).toBe("root's");
      // It is not ours.
      expect(lstatSync(planted).isFile()).toBe(kind === "file");
      expect(existsSync(join(inside, "state"))).toBe(false);
    },
  );

  test("leaves the old file and nothing beside it when what is written fails", () => {
    const inside = folder();
    writeFileSync(join(inside, "state"), "old");
    const problem = replaceFile(join(inside, "state"), UUID, 0o644, () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    });
    expect(problem).toEqual({ cause: "no-space", detail: "ENOSPC: no space left on device" });
    expect(readdirSync(inside)).toEqual(["state"]);
    expect(readFileSync(join(inside, "state"), "utf8")).toBe("old");
  });

  test("says so when somebody removes what is being written", () => {
    const inside = folder();
    const problem = replaceFile(join(inside, "state"), UUID, 0o644, () => {
      rmSync(join(inside, UNFINISHED));
    });
    expect(problem).toMatchObject({ cause: "removed" });
    expect(readdirSync(inside)).toEqual([]);
  });

  test("removes only our own files that a killed run left a minute ago", () => {
    const inside = folder();
    const name = (digit: string) => `.celery-probe.${UUID.slice(0, -1)}${digit}`;
    const minuteAgo = Date.now() / 1_000 - 61;
    for (const one of [name("0"), name("1"), ".celery-probe.json"]) {
      writeFileSync(join(inside, one), "");
      if (one !== name("1")) utimesSync(join(inside, one), minuteAgo, minuteAgo);
    }
    symlinkSync("/", join(inside, name("2")));
    expect(leftIn(inside).map(({ path }) => path)).toEqual(
      expect.arrayContaining([join(inside, name("0")), join(inside, name("1"))]),
    );
    expect(write(join(inside, "state"), "x")).toBeNull();
    expect(readdirSync(inside).sort()).toEqual([name("1"), name("2"), ".celery-probe.json", "state"].sort());
  });
});

test("removeFile removes a file, and accepts a missing one", () => {
  const path = join(folder(), "state");
  writeFileSync(path, "old");
  expect(removeFile(path)).toBeNull();
  expect(existsSync(path)).toBe(false);
  expect(removeFile(path)).toBeNull();
});

test("namesIn stops where it has enough", () => {
  const inside = folder();
  for (const name of ["a", "b", "c"]) mkdirSync(join(inside, name));
  expect(namesIn(inside, 2)).toHaveLength(2);
  expect([...namesIn(inside, 9)].sort()).toEqual(["a", "b", "c"]);
});
