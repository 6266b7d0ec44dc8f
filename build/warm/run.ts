// Runs the bundle and keeps what V8 has compiled meanwhile: `run.ts SCRIPT CODE-CACHE WORDS…`
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { runCached } from "../run-cached.ts";

const [script = "", codeCache = ""] = process.argv.splice(2, 2);
const compiled = runCached(readFileSync(script), undefined, createRequire(import.meta.url));
process.on("exit", () => {
  writeFileSync(codeCache, compiled.createCachedData());
});
