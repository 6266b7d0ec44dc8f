import { join } from "node:path";
import { build as esbuild, type Metafile, type Plugin } from "esbuild";
import manifest from "../package.json" with { type: "json" };
import { commit } from "./commit.ts";
import { page } from "./page.ts";

const ROOT = join(import.meta.dirname, "..");

/** Differences from the product's bundle: another program, or plugins that read what is bundled. */
interface Otherwise {
  readonly entry?: string;
  readonly plugins?: readonly Plugin[];
}

/**
 * Bundles the program into one CommonJS file with a reduced ioredis.
 *
 * @param outfile absolute
 * @returns which file imports which; paths are relative to the project's folder
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
    // Without this, Bun writes the folder of the bundle into the executable.
    define: { ...(await constants()), __dirname: '"/"' },
    // uuid's build for Node takes SHA-1 from node:crypto, which costs 5 ms to load. Its build for browsers computes
    // SHA-1 itself.
    alias: { uuid: join(ROOT, "node_modules/uuid/dist/index.js") },
    plugins: [diet, ...plugins],
  });
  return metafile;
}

/** The constants that src/main.ts and src/serve/page/page.ts declare. The bundler must know their values. */
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

/** Loads a module of Node when it is first used. The module may be a function. */
const whenUsed = (name: string) =>
  `const load = () => require("${name}");` +
  "module.exports = new Proxy(function () {}, { get: (_, key) => load()[key], apply: (_, self, args) => load()(...args) })";

/**
 * Modules that ioredis loads at once and a probe does not need. Each is a file of ioredis (`ioredis/…`) or a package
 * that it requires, with its replacement. The gains are instructions of a whole healthy check, counted by callgrind
 * without a code cache.
 */
const STAND_INS: Readonly<Record<string, string>> = {
  // Loading it makes Node read NODE_EXTRA_CA_CERTS and complain about it on stderr, even if TLS is never used.
  tls: whenUsed("tls"),
  // Together with tls it costs 64 million instructions. It computes checksums of scripts and profiles of host names,
  // which we do not use.
  crypto: whenUsed("crypto"),
  assert: whenUsed("assert"),
  // A DEBUG variable of the container would make it print every command, including AUTH with its password.
  debug: "exports.default = () => Object.assign(() => {}, { enabled: false })",
  // ioredis makes four methods of each of its 301 commands, which costs 80 million instructions. We send all commands
  // by `call`, which asks the table only whether it knows the command.
  "@ioredis/commands": "module.exports = { list: [], exists: () => false }",
  // A broker is not a cluster. This saves 36 kB, node:dns and 10 million instructions.
  "ioredis/cluster/index.js": "exports.default = class {}",
  // Certificates of one provider, 8 kB.
  "ioredis/constants/TLSProfiles.js": "exports.default = {}",
  // Three channels of node:diagnostics_channel without a listener.
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
