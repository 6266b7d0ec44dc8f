// Builds dist/celery-probe: esbuild bundles src/main.ts, pkg (SEA mode) puts the bundle into Node.
// Run it as `npm run build`: pkg and the blob need the very Node that goes into the executable.
import { chmod, link, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import pkgSea from "pkg/lib-es5/sea.js";
import manifest from "./package.json" with { type: "json" };

const root = dirname(fileURLToPath(import.meta.url));
const started = performance.now();

/** The names that Docker gives to what Node calls x64 and arm64: TARGETARCH picks the file by them. */
const DOCKER_ARCH = new Map([
  ["x64", "amd64"],
  ["arm64", "arm64"],
]);

const bundle = join(root, "dist/bundle/celery-probe.cjs");
const executable = join(root, "dist/celery-probe");

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

async function bundleSources() {
  await build({
    entryPoints: [join(root, "src/main.ts")],
    outfile: bundle,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    legalComments: "none",
    define: { VERSION: JSON.stringify(manifest.version) },
    plugins: [standIns],
  });
}

/**
 * Three modules that ioredis loads at once get a stand-in. `tls`: loading it makes Node read NODE_EXTRA_CA_CERTS, and
 * complain about it on stderr, before anybody speaks TLS; the stand-in loads it when it is first used. `debug`: a
 * DEBUG variable of the container's own would have every command printed, AUTH with its password among them.
 * `@ioredis/commands`: of each of its 301 commands ioredis makes four methods, a fifth of the whole run; ours are all
 * sent by `call`, which asks the table only whether it knows the command.
 *
 * @type {Record<string, string>}
 */
const STAND_INS = {
  tls: "module.exports = new Proxy({}, { get: (_, name) => require('tls')[name] })",
  "@ioredis/commands": "module.exports = { list: [], exists: () => false }",
  debug: "exports.default = () => Object.assign(() => {}, { enabled: false })",
};

/** @type {import("esbuild").Plugin} */
const standIns = {
  name: "stand-ins",
  setup(build) {
    build.onResolve({ filter: /^(tls|debug|@ioredis\/commands)$/ }, ({ path, namespace }) =>
      namespace === "stand-in" ? { path, external: true } : { path, namespace: "stand-in" },
    );
    build.onLoad({ filter: /.*/, namespace: "stand-in" }, ({ path }) => ({
      contents: STAND_INS[path] ?? "",
    }));
  },
};

/**
 * pkg's command line cannot pass a SEA configuration, its function can (pinned: it is no documented interface).
 *
 * @param {string} nodePath
 */
async function packExecutable(nodePath) {
  const fresh = `${executable}.new`;
  await pkgSea.default(bundle, {
    targets: [{ nodeRange: "node24", platform: "linux", arch: process.arch, output: fresh }],
    nodePath,
    seaConfig: {
      disableExperimentalSEAWarning: true,
      // Two threads instead of seven; neither flag invalidates Node's own code cache.
      // OPENSSL_CONF belongs to the container's own programs too, and a broken one would end ours.
      execArgv: ["--v8-pool-size=0", "--disable-sigusr1", "--openssl-config=/dev/null"],
      // NODE_OPTIONS belongs to the container's own programs.
      execArgvExtension: "none",
    },
  });
  await chmod(fresh, 0o755);
  // In one step: a probe may be running from the old file.
  await rename(fresh, executable);
}

const node = bundledNode();
await bundleSources();
await packExecutable(node);
const forImage = join(root, `dist/linux-${DOCKER_ARCH.get(process.arch)}/celery-probe`);
await mkdir(dirname(forImage), { recursive: true });
await rm(forImage, { force: true });
await link(executable, forImage);

const { size } = await stat(executable);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`dist/celery-probe ${manifest.version}, ${(size / 1e6).toFixed(1)} MB, built in ${seconds} s`);
