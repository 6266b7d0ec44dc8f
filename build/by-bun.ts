import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { linkLibstdcxx } from "./link-away/libstdcxx.ts";
import { npmPackage } from "./npm-package.ts";
import { hostTarget, runtimeVersion, type Target } from "./targets.ts";

const FLAGS = [
  "--compile",
  "--bytecode",
  // The JIT compiler does not pay off in a run of 20 ms.
  "--compile-jit-policy=10",
  // These files are in the folder where the container's own programs run.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

/**
 * The Bun that compiles. It runs on this machine, whatever machine it compiles for. It is built for glibc, like this
 * Node.
 */
const COMPILERS = { x64: "@oven/bun-linux-x64-baseline", arm64: "@oven/bun-linux-aarch64" } as const;

/** A Bun executable for this machine with glibc, for comparison. */
export function bunForGlibc(): Pick<Target, "arch" | "libc" | "runtime"> {
  const { arch } = hostTarget("glibc");
  return { arch, libc: "glibc", runtime: COMPILERS[arch] };
}

/**
 * Compiles the bundle with Bun into an executable that needs only its libc.
 *
 * @param executable absolute
 * @throws Error if Bun is not the known version
 */
export async function buildByBun(
  target: Pick<Target, "arch" | "libc" | "runtime">,
  bundle: string,
  executable: string,
): Promise<void> {
  const compiler = COMPILERS[hostTarget("glibc").arch];
  if (runtimeVersion({ runtime: compiler }) !== runtimeVersion(target))
    throw new Error(`${compiler} and ${target.runtime} differ in package.json: expected one version of Bun`);
  const [bun, base] = await Promise.all([compiler, target.runtime].map(programOf));
  const fresh = `${executable}.new`;
  await mkdir(dirname(executable), { recursive: true });
  await execa(
    bun ?? "",
    [
      ...["build", ...FLAGS, `--target=bun-linux-${target.arch}${target.libc === "musl" ? "-musl" : ""}`],
      ...[`--compile-executable-path=${base ?? ""}`, `--outfile=${fresh}`, bundle],
    ],
    { env: {}, extendEnv: false },
  );
  if (target.libc === "musl") await linkLibstdcxx(fresh);
  await writeFile(fresh, withoutVariables(await readFile(fresh)));
  // In one step: a probe may be running from the old file.
  await rename(fresh, executable);
}

async function programOf(name: Parameters<typeof npmPackage>[0]): Promise<string> {
  return join(await npmPackage(name), "bin/bun");
}

/**
 * Renames environment variables that Bun's runtime reads before our code runs and that no flag turns off.
 * `BUN_OPTIONS=--version` would end every check with exit code 0. `BUN_BE_BUN=1` turns the file into the `bun` command.
 * No environment has a name that begins with "=". Names that Bun compares in other ways stay; see docs/bun.md.
 */
function withoutVariables(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  const renamed = text.replaceAll(/(?<=\0)BUN_(?=[A-Z_]+\0)/g, "=UN_");
  for (const name of ["BUN_OPTIONS", "BUN_BE_BUN", "BUN_INSPECT"]) {
    if (!text.includes(`\0${name}\0`))
      throw new Error(`Bun holds no name ${name}: does it read it elsewhere?`);
  }
  return Buffer.from(renamed, "latin1");
}
