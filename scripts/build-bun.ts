// `npm run build:bun`: dist/celery-probe-bun. It is the product's bundle, compiled by Bun for this machine's glibc; see
// docs/bun.md.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "../build/bundle.ts";
import { buildByBun, bunForGlibc } from "../build/by-bun.ts";
import { BUNDLE } from "../build/parts.ts";
import { runtimeVersion } from "../build/targets.ts";
import manifest from "../package.json" with { type: "json" };
import { ROOT } from "./suite.ts";

const executable = join(ROOT, "dist/celery-probe-bun");
const started = performance.now();
const target = bunForGlibc();
await bundle(BUNDLE);
await buildByBun(target, BUNDLE, executable);

const { size } = await stat(executable);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `dist/celery-probe-bun ${manifest.version}, ${(size / 1e6).toFixed(1)} MB, built in ${seconds} s by Bun ${runtimeVersion(target)}`,
);
