import { readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { expect, test } from "vitest";
import { read, ROOT } from "./pages.ts";

/** What is made, and what is somebody else's. */
const NOT_OURS = new Set(["node_modules", "dist", "dist.new", ".git", ".cache"]);

const FILES = filesIn("");
const KNOWN = new Set(FILES.flatMap((file) => [...foldersOf(file), file]));
/** Every file by each end of its path: a comment may leave out what is clear. */
const ENDS = new Set(FILES.flatMap((file) => file.split("/").map((_, at, all) => all.slice(at).join("/"))));

/** Where the text of a file is about the project; the rest is code, whose imports the compiler finds. */
const COMMENTS: Readonly<Record<string, RegExp>> = {
  ".md": /^.*$/gm,
  ".ts": /^\s*(?:\/?\*|\/\/).*$|\s\/\/ .*$/gm,
  ".mjs": /^\s*(?:\/?\*|\/\/).*$|\s\/\/ .*$/gm,
  ".c": /^\s*(?:\/?\*|\/\/).*$/gm,
  ".py": /#.*$/gm,
  ".yaml": /#.*$/gm,
  ".conf": /#.*$/gm,
  ".service": /#.*$/gm,
  ".sidecar": /#.*$/gm,
};

/** A path from the root of the project, by its first folder; `*` and `…` stand for names. */
const FROM_ROOT =
  /(?<![\w./@~-])(?:\.ci|bench|build|docs|examples|scripts|src|test)\/[\w./-]*\w(?![\w./-]*[*…{])/g;

/** A source by its name, with folders in front or without. */
const SOURCE = /(?<![\w./@*…-])[\w-][\w./-]*\.(?:m?ts|mjs)(?![\w-])/g;

/** `owner/repository, ` in front of a path in backquotes: that repository's. */
const FOREIGN = /[\w.-]+\/[\w.-]+, `[^`]*`/g;

test("pages and comments name only paths that are there", () => {
  const files = FILES.filter((file) => extname(file) in COMMENTS);
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap((file) => missingIn(file).map((path) => `${file} names ${path}`))).toEqual([]);
});

function missingIn(file: string): readonly string[] {
  const lines = [...read(file).matchAll(COMMENTS[extname(file)] ?? /$^/g)].map(([line]) => line);
  return lines
    .map((line) => line.replaceAll(FOREIGN, ""))
    .flatMap((line) => [
      ...[...line.matchAll(FROM_ROOT)].map(([path]) => path).filter((path) => !KNOWN.has(path)),
      ...[...line.matchAll(SOURCE)].map(([path]) => path).filter((path) => !ENDS.has(path)),
    ]);
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

function foldersOf(file: string): readonly string[] {
  return file.split("/").map((_, at, all) => all.slice(0, at).join("/"));
}
