// Runs the bundle and keeps what V8 has compiled meanwhile: `run.ts SCRIPT CODE-CACHE WORDS…`
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runCached } from "../run-cached.ts";

const [script = "", codeCache = ""] = process.argv.splice(2, 2);
// V8 counts how often a function runs and compiles it on another thread. Both depend on the machine and leave marks
// in the cache. The flags are a part of what a cache is accepted by, so they are as they were when it is made.
setFlagsFromString("--no-sparkplug");
setFlagsFromString("--no-profile-guided-optimization");
const compiled = runCached(readFileSync(script), undefined, createRequire(import.meta.url));
process.on("exit", () => {
  setFlagsFromString("--sparkplug");
  setFlagsFromString("--profile-guided-optimization");
  writeFileSync(codeCache, compiled.createCachedData());
});
