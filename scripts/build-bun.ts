// `npm run build:bun`: dist/celery-probe-bun, the bundle that build.mjs makes, compiled by npm's Bun; see docs/bun.md.
import { existsSync } from "node:fs";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import manifest from "../package.json" with { type: "json" };
import { ROOT } from "./suite.ts";

/** Bun for any 64-bit Intel or AMD: what is not `baseline` needs AVX2, which small machines lack. */
const BUNS: Partial<Record<string, keyof typeof manifest.optionalDependencies>> = {
  x64: "@oven/bun-linux-x64-baseline",
  arm64: "@oven/bun-linux-aarch64",
};

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

const bundle = join(ROOT, "dist/bundle/celery-probe.cjs");
const executable = join(ROOT, "dist/celery-probe-bun");

/**
 * Renames the environment variables that Bun's runtime reads before any of ours runs, and which no flag turns off:
 * `BUN_OPTIONS=--version` would end every check with exit code 0, `BUN_BE_BUN=1` makes the file the `bun` command.
 * No environment has a name that begins with "=". What Bun compares in other ways stays: see docs/bun.md.
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

const started = performance.now();
const name = BUNS[process.arch];
if (process.platform !== "linux" || name === undefined)
  throw new Error(`no Bun for ${process.platform} ${process.arch}: expected linux on x64 or arm64`);
if (!existsSync(bundle))
  throw new Error("dist/bundle/celery-probe.cjs is not there: 'npm run build' makes it");
const bun = join(ROOT, "node_modules", name, "bin/bun");
const fresh = `${executable}.new`;
await execa(bun, ["build", ...FLAGS, `--outfile=${fresh}`, bundle], { env: {}, extendEnv: false });
await writeFile(fresh, withoutVariables(await readFile(fresh)));
// In one step: a probe may be running from the old file.
await rename(fresh, executable);

const { size } = await stat(executable);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `dist/celery-probe-bun ${manifest.version}, ${(size / 1e6).toFixed(1)} MB, built in ${seconds} s by Bun ${manifest.optionalDependencies[name]}`,
);
