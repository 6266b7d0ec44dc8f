// Builds dist/celery-probe: esbuild bundles src/main.ts, V8 compiles what a check runs, pkg (SEA mode) puts both into Node.
// Run it as `npm run build`; `npm run package` makes the executables for all machines, and all that a release has.
import { copyFile, link, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./build/bundle.ts";
import { buildByNode } from "./build/by-node.ts";
import { manPage } from "./build/man-page.ts";
import { BUNDLE } from "./build/parts.ts";
import { hostTarget, nameOf } from "./build/targets.ts";
import manifest from "./package.json" with { type: "json" };

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const started = performance.now();

const target = hostTarget("glibc");
const executable = join(dist, "celery-probe");
await bundle(BUNDLE);
await buildByNode(target, BUNDLE, executable);

// Where Dockerfile.sidecar looks for it.
const forImage = join(dist, nameOf(target), "celery-probe");
await mkdir(dirname(forImage), { recursive: true });
await rm(forImage, { force: true });
await link(executable, forImage);
await copyFile(join(root, "build/dockerignore"), join(dist, ".dockerignore"));
await writeFile(join(dist, "celery-probe.1"), manPage(manifest.version));

const { size } = await stat(executable);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`dist/celery-probe ${manifest.version}, ${(size / 1e6).toFixed(1)} MB, built in ${seconds} s`);
