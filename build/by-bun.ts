import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { linkLibstdcxx } from "./link-away/libstdcxx.ts";
import { npmPackage } from "./npm-package.ts";
import { hostTarget, runtimeVersion, type Target } from "./targets.ts";

const FLAGS = [
  "--compile",
  "--bytecode",
  // The JIT does not pay in a run of 20 ms.
  "--compile-jit-policy=10",
  // Files of the folder in which the container's own programs run.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

/** The Bun that compiles: it runs on this machine, whatever it compiles for. Of glibc, as this Node is. */
const COMPILERS = { x64: "@oven/bun-linux-x64-baseline", arm64: "@oven/bun-linux-aarch64" } as const;

/** For comparison: what this machine runs, of glibc, by Bun. */
export function bunForGlibc(): Pick<Target, "arch" | "libc" | "runtime"> {
  const { arch } = hostTarget("glibc");
  return { arch, libc: "glibc", runtime: COMPILERS[arch] };
}

/**
 * Compiles the bundle with Bun into an executable that needs nothing but its libc.
 *
 * @param executable absolute
 * @throws Error where Bun is another than is known here
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
 * `BUN_OPTIONS=--version` would end every check with exit code 0. `BUN_BE_BUN=1` makes the file the `bun` command. No
 * environment has a name that begins with "=". What Bun compares in other ways stays: see docs/bun.md.
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
