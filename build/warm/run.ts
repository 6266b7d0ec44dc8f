// Runs the bundle and keeps the code that V8 compiles meanwhile: `run.ts SCRIPT CODE-CACHE WORDS…`
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runCached } from "../run-cached.ts";

const [script = "", codeCache = ""] = process.argv.splice(2, 2);
// V8 counts how often a function runs and compiles it on another thread. Both depend on the machine and change the
// cache. The flags decide whether V8 accepts a cache, so they have their original values again when it is made.
setFlagsFromString("--no-sparkplug");
setFlagsFromString("--no-profile-guided-optimization");
const compiled = runCached(readFileSync(script), undefined, createRequire(import.meta.url));
process.on("exit", () => {
  setFlagsFromString("--sparkplug");
  setFlagsFromString("--profile-guided-optimization");
  writeFileSync(codeCache, compiled.createCachedData());
});
