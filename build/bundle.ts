import { join } from "node:path";
import { build as esbuild, type Metafile, type Plugin } from "esbuild";
import manifest from "../package.json" with { type: "json" };
import { commit } from "./commit.ts";
import { page } from "./page.ts";

const ROOT = join(import.meta.dirname, "..");

/** What is bundled otherwise than for the product: another program, plugins that look at what is bundled. */
interface Otherwise {
  readonly entry?: string;
  readonly plugins?: readonly Plugin[];
}

/**
 * Bundles the program into one CommonJS file with ioredis on a diet.
 *
 * @param outfile absolute
 * @returns who imports what; paths are relative to the project's folder
 */
export async function bundle(
  outfile: string,
  { entry = join(ROOT, "src/main.ts"), plugins = [] }: Otherwise = {},
): Promise<Metafile> {
  const { metafile } = await esbuild({
    absWorkingDir: ROOT,
    metafile: true,
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    legalComments: "none",
    // Without it Bun writes the folder of the bundle into the executable.
    define: { ...(await constants()), __dirname: '"/"' },
    // Its own flavour for Node takes SHA-1 from node:crypto, which costs 5 ms to load; the one for browsers computes it.
    alias: { uuid: join(ROOT, "node_modules/uuid/dist/index.js") },
    plugins: [diet, ...plugins],
  });
  return metafile;
}

/** What src/main.ts and src/serve/page/page.ts declare and a bundler has to know. */
async function constants(): Promise<Readonly<Record<string, string>>> {
  return {
    VERSION: JSON.stringify(manifest.version),
    COMMIT: JSON.stringify(await commit()),
    ...(await page()),
  };
}

/** Bundles the executable's first script. */
export async function bundleLoader(outfile: string): Promise<void> {
  await esbuild({
    entryPoints: [join(ROOT, "build/loader.ts")],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
  });
}

/** Loads the module of Node's, which may be a function, when it is first used. */
const whenUsed = (name: string) =>
  `const load = () => require("${name}");` +
  "module.exports = new Proxy(function () {}, { get: (_, key) => load()[key], apply: (_, self, args) => load()(...args) })";

/**
 * What ioredis loads at once and a probe does not need. Each is a file of ioredis' (`ioredis/…`) or a package that it
 * requires, and what stands in for it. The gains are instructions of a whole healthy check as callgrind counts them,
 * without a code cache.
 */
const STAND_INS: Readonly<Record<string, string>> = {
  // Loading it makes Node read NODE_EXTRA_CA_CERTS, and complain about it on stderr, before anybody speaks TLS.
  tls: whenUsed("tls"),
  // With tls 64 million instructions: for scripts' checksums and host names' profiles, which nobody asks for.
  crypto: whenUsed("crypto"),
  assert: whenUsed("assert"),
  // A DEBUG variable of the container's own would have every command printed, AUTH with its password among them.
  debug: "exports.default = () => Object.assign(() => {}, { enabled: false })",
  // Of each of its 301 commands ioredis makes four methods, 80 million instructions. Ours are all sent by `call`, which
  // asks the table only whether it knows the command.
  "@ioredis/commands": "module.exports = { list: [], exists: () => false }",
  // A broker is no cluster: 36 kB, node:dns and 10 million.
  "ioredis/cluster/index.js": "exports.default = class {}",
  // Certificates of one provider, 8 kB.
  "ioredis/constants/TLSProfiles.js": "exports.default = {}",
  // Three channels of node:diagnostics_channel that nobody listens to.
  "ioredis/tracing.js":
    "exports.traceCommand = exports.traceBatch = exports.traceConnect = (work) => work(); exports.sanitizeArgs = (_, args) => args",
};

const OWN_FILES = /\/node_modules\/ioredis\/built\/(.*)$/;
const PACKAGES = new RegExp(`^(?:${Object.keys(STAND_INS).join("|")})$`);

const diet: Plugin = {
  name: "diet",
  setup(build) {
    build.onResolve({ filter: PACKAGES }, ({ path, namespace, importer }) => {
      if (namespace === "stand-in") return { path, external: true };
      return importer.includes("/node_modules/") ? { path, namespace: "stand-in" } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: "stand-in" }, ({ path }) => ({
      contents: STAND_INS[path] ?? "",
    }));
    build.onLoad({ filter: OWN_FILES }, ({ path }) => {
      const contents = STAND_INS[`ioredis/${OWN_FILES.exec(path)?.[1] ?? ""}`];
      return contents === undefined ? undefined : { contents };
    });
  },
};
