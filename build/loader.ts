// The executable's first script: loads the bundle from the code cache that was made when the executable was built.
import { getRawAsset } from "node:sea";
import { runCached } from "./run-cached.ts";
import { CODE_CACHE_ASSET, SCRIPT_ASSET } from "./runtime.ts";

const codeCache = Buffer.from(getRawAsset(CODE_CACHE_ASSET));
// It is empty if the machine that built it cannot run this Node.
runCached(Buffer.from(getRawAsset(SCRIPT_ASSET)), codeCache.length > 0 ? codeCache : undefined, require);
