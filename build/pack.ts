import { chmod, copyFile, link, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { RUNTIME_FLAGS } from "./runtime.ts";
import { runtimeVersion, type Target } from "./targets.ts";

/** The part of pkg that we use. pkg ships no types for it. */
interface PkgSea {
  readonly default: (
    main: string,
    options: {
      /** `output` is absolute, because pkg changes its working folder. */
      readonly targets: readonly Record<"nodeRange" | "platform" | "arch" | "output", string>[];
      readonly seaConfig: object;
    },
  ) => Promise<void>;
}

// `import` is not used, because Node and vitest disagree on what it makes of pkg's modules.
const require = createRequire(import.meta.url);
const pkgSea = require("pkg/lib-es5/sea.js") as PkgSea;
const { log: pkgLog } = require("pkg/lib-es5/log.js") as { readonly log: { info: (text: string) => void } };
// pkg prints a line there for each step. Its warnings and errors stay.
pkgLog.info = () => undefined;

/** LIEF, which pkg uses, prints this about the section headers that build/strip.ts has cut off. */
const NO_SECTIONS = /^warning: The current binary doesn't have a section header/;

/** The product's settings for Node's single executable applications, besides its assets. */
export const SEA_CONFIG: SeaConfig = {
  disableExperimentalSEAWarning: true,
  execArgv: RUNTIME_FLAGS,
  // NODE_OPTIONS belongs to the container's own programs.
  execArgvExtension: "none",
};

export interface SeaConfig {
  readonly disableExperimentalSEAWarning: boolean;
  readonly execArgv: readonly string[];
  readonly execArgvExtension: "none";
}

export interface Packing {
  readonly target: Target;
  /** A CommonJS file that needs no other file. */
  readonly main: string;
  /** The Node to put it into, for the target's architecture and with this process' version. */
  readonly node: string;
  readonly seaConfig: object;
  /** Absolute. */
  readonly executable: string;
}

/**
 * Puts a script into Node. pkg's command line cannot pass a SEA configuration, but its function can. pkg is pinned,
 * because the function is not a documented interface.
 */
export async function pack({ target, main, node, seaConfig, executable }: Packing): Promise<void> {
  const fresh = `${executable}.new`;
  const version = runtimeVersion(target);
  await mkdir(dirname(executable), { recursive: true });
  await withDownloaded(node, `node-v${version}-linux-${target.arch}`, async (home) => {
    await copyFile(main, join(home, MAIN));
    await withoutSectionWarning(() =>
      pkgSea.default(main, {
        targets: [{ nodeRange: `node${version}`, platform: "linux", arch: target.arch, output: fresh }],
        // The executable contains this name. It is relative to pkg's working folder, so it is the same on every
        // machine.
        seaConfig: { ...seaConfig, main: `../${MAIN}` },
      }),
    );
  });
  await chmod(fresh, 0o755);
  // In one step: a probe may be running from the old file.
  await rename(fresh, executable);
}

/** Hides only this warning. Everything else that is written to stderr meanwhile is shown. */
async function withoutSectionWarning(work: () => Promise<void>): Promise<void> {
  const { stderr } = process;
  const write = stderr.write.bind(stderr);
  stderr.write = (chunk: string | Uint8Array, ...rest: never[]) =>
    NO_SECTIONS.test(String(chunk)) || write(chunk, ...rest);
  try {
    await work();
  } finally {
    stderr.write = write;
  }
}

/** The script, beside pkg's working folder. */
const MAIN = "main.cjs";

/**
 * pkg takes another architecture's Node only from its own downloads, which are in HOME. This puts our Node there, and
 * lets pkg work in a folder below it.
 *
 * @param name of the release; pkg gives its folder this name
 */
async function withDownloaded(
  node: string,
  name: string,
  work: (home: string) => Promise<void>,
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "celery-probe-pkg-"));
  const before = { HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"] };
  try {
    const bin = join(home, ".pkg-cache/sea", name, "bin");
    await mkdir(bin, { recursive: true });
    await link(node, join(bin, "node")).catch(() => copyFile(node, join(bin, "node")));
    // With these files, pkg believes that the download is complete and checked.
    for (const done of [`${name}.tar.gz`, `${name}.tar.gz.ok`, `${name}/bin/node.ok`])
      await writeFile(join(home, ".pkg-cache/sea", done), "");
    Object.assign(process.env, { HOME: home, TMPDIR: home });
    await work(home);
  } finally {
    for (const [variable, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, variable);
      else process.env[variable] = value;
    }
    await rm(home, { recursive: true });
  }
}
