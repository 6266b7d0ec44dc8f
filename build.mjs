// Builds dist/celery-probe: esbuild bundles src/main.ts, V8 compiles what a check runs, pkg (SEA mode) puts both into Node.
// Run it as `npm run build`: pkg, the code cache and the blob need the very Node that goes into the executable.
import { link, mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, bundleLoader } from "./build/bundle.ts";
import { warmCodeCache, wrapScript } from "./build/code-cache.ts";
import { pack, SEA_CONFIG } from "./build/pack.ts";
import { CODE_CACHE_ASSET, SCRIPT_ASSET } from "./build/runtime.ts";
import { strip } from "./build/strip.ts";
import manifest from "./package.json" with { type: "json" };

const root = dirname(fileURLToPath(import.meta.url));
const started = performance.now();

/** The names that Docker gives to what Node calls x64 and arm64: TARGETARCH picks the file by them. */
const DOCKER_ARCH = new Map([
  ["x64", "amd64"],
  ["arm64", "arm64"],
]);

/** The Node that goes into the executable: npm's, for this machine, in the version that package.json pins. */
function bundledNode() {
  const name = `node-linux-${process.arch}`;
  const wanted = new Map(Object.entries(manifest.optionalDependencies)).get(name);
  if (process.platform !== "linux" || wanted === undefined) {
    throw new Error(`no executable for ${process.platform} ${process.arch}: expected linux on x64 or arm64`);
  }
  if (process.version !== `v${wanted}`) {
    throw new Error(
      `build.mjs runs under Node ${process.version}: expected v${wanted}, which 'npm run build' uses`,
    );
  }
  return join(root, "node_modules", name, "bin/node");
}

const parts = {
  bundle: join(root, "dist/bundle/celery-probe.cjs"),
  script: join(root, "dist/bundle/celery-probe.script.js"),
  codeCache: join(root, "dist/bundle/celery-probe.code-cache"),
  loader: join(root, "dist/bundle/loader.cjs"),
  node: join(root, "dist/bundle/node"),
};
const executable = join(root, "dist/celery-probe");

const node = bundledNode();
await bundle(parts.bundle);
await bundleLoader(parts.loader);
await wrapScript(parts.bundle, parts.script);
await warmCodeCache(node, parts.script, parts.codeCache);
await strip(node, parts.node);
await pack({
  main: parts.loader,
  node: parts.node,
  seaConfig: {
    ...SEA_CONFIG,
    assets: { [SCRIPT_ASSET]: parts.script, [CODE_CACHE_ASSET]: parts.codeCache },
  },
  executable,
});

const forImage = join(root, `dist/linux-${DOCKER_ARCH.get(process.arch)}/celery-probe`);
await mkdir(dirname(forImage), { recursive: true });
await rm(forImage, { force: true });
await link(executable, forImage);

const { size } = await stat(executable);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`dist/celery-probe ${manifest.version}, ${(size / 1e6).toFixed(1)} MB, built in ${seconds} s`);
