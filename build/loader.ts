// The executable's first script: compiles the bundle out of the code cache that was made when it was built.
import { getRawAsset } from "node:sea";
import { runCached } from "./run-cached.ts";
import { CODE_CACHE_ASSET, SCRIPT_ASSET } from "./runtime.ts";

const codeCache = Buffer.from(getRawAsset(CODE_CACHE_ASSET));
// Empty where it was built on a machine that cannot run this Node.
runCached(Buffer.from(getRawAsset(SCRIPT_ASSET)), codeCache.length > 0 ? codeCache : undefined, require);
