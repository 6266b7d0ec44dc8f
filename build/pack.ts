import { chmod, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { RUNTIME_FLAGS } from "./runtime.ts";

/** The part of pkg that is used here; pkg ships no types for it. */
interface PkgSea {
  readonly default: (
    main: string,
    options: {
      /** `output` is absolute: pkg changes its working folder. */
      readonly targets: readonly Record<"nodeRange" | "platform" | "arch" | "output", string>[];
      readonly nodePath: string;
      readonly seaConfig: object;
    },
  ) => Promise<void>;
}

// Not by `import`: Node and vitest do not agree on what that makes of pkg's modules.
const pkgSea = createRequire(import.meta.url)("pkg/lib-es5/sea.js") as PkgSea;

/** What the product asks of Node's single executable applications, beside its assets. */
export const SEA_CONFIG = {
  disableExperimentalSEAWarning: true,
  execArgv: RUNTIME_FLAGS,
  // NODE_OPTIONS belongs to the container's own programs.
  execArgvExtension: "none",
} as const;

export interface Packing {
  /** A CommonJS file that needs no other. */
  readonly main: string;
  /** The Node to put it into, of the architecture and version that this process runs. */
  readonly node: string;
  readonly seaConfig: object;
  /** Absolute. */
  readonly executable: string;
}

/**
 * Puts a script into Node. pkg's command line cannot pass a SEA configuration, its function can (pinned: it is no
 * documented interface).
 */
export async function pack({ main, node, seaConfig, executable }: Packing): Promise<void> {
  const fresh = `${executable}.new`;
  await pkgSea.default(main, {
    targets: [{ nodeRange: "node24", platform: "linux", arch: process.arch, output: fresh }],
    nodePath: node,
    seaConfig,
  });
  await chmod(fresh, 0o755);
  // In one step: a probe may be running from the old file.
  await rename(fresh, executable);
}
