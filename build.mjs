// Builds dist/celery-probe: esbuild bundles src/main.ts, V8 compiles what a check runs, pkg (SEA mode) puts both into
// Node. Run it with `npm run build`; `-- musl` builds the executable for Alpine instead. `npm run package` builds the
// executables for all machines, and everything else that a release has.
import { link, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./build/bundle.ts";
import { buildByBun } from "./build/by-bun.ts";
import { buildByNode } from "./build/by-node.ts";
import { manPage } from "./build/man-page.ts";
import { BUNDLE } from "./build/parts.ts";
import { hostTarget, nameOf } from "./build/targets.ts";
import manifest from "./package.json" with { type: "json" };

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const started = performance.now();

const libc = process.argv[2] ?? "glibc";
if (libc !== "glibc" && libc !== "musl") {
  console.error(`celery-probe: unknown libc '${libc}': expected glibc or musl`);
  process.exit(1);
}
const target = hostTarget(libc);
// Dockerfile.sidecar looks for it here.
const forImage = join(dist, nameOf(target), "celery-probe");
const executable = libc === "glibc" ? join(dist, "celery-probe") : forImage;
await bundle(BUNDLE);
await (libc === "glibc" ? buildByNode : buildByBun)(target, BUNDLE, executable);
if (executable !== forImage) {
  await mkdir(dirname(forImage), { recursive: true });
  await rm(forImage, { force: true });
  await link(executable, forImage);
}
await writeFile(join(dist, "celery-probe.1"), manPage(manifest.version));

const { size } = await stat(executable);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${relative(root, executable)} ${manifest.version}, ${(size / 1e6).toFixed(1)} MB, built in ${seconds} s`,
);
