// Lists the sentences of pages and comments that a reader has to read twice (plain-english.ts); a part of `npm run
// check`.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hardSentences } from "./plain-english.ts";

const ROOT = join(import.meta.dirname, "..");

const FILES = ["*.md", "docs/*.md", "examples/**/*.md", "test/README.md", "src/**/*.ts", "build/**/*.ts"];

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync(FILES, { cwd: ROOT }).sort();
const found = files.flatMap((file) =>
  hardSentences(file, readFileSync(join(ROOT, file), "utf8")).map(
    ({ line, why, sentence }) => `${file}:${line}: ${why}: ${sentence}`,
  ),
);
for (const line of found) console.log(line);
process.exitCode = found.length === 0 ? 0 : 1;
