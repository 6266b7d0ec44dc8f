import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { constants } from "../build/bundle.ts";
import { assetsOf } from "../build/by-node.ts";
import { pack, SEA_CONFIG, type SeaConfig } from "../build/pack.ts";
import { partsOf } from "../build/parts.ts";
import { hostTarget } from "../build/targets.ts";
import { ROOT } from "../scripts/suite.ts";

/** An executable of the product's Node and flags that does nothing: what no program in it can be cheaper than. */
export async function packEmpty(folder: string, seaConfig: SeaConfig = SEA_CONFIG): Promise<string> {
  const main = join(folder, "empty.cjs");
  const executable = join(folder, "empty");
  await writeFile(main, "");
  const target = hostTarget("glibc");
  const { node } = await partsOf(target);
  await pack({ target, main, node, seaConfig, executable });
  return executable;
}

/** dist/celery-probe once more, of the parts that its build has left. */
export async function packAgain(folder: string, seaConfig: SeaConfig): Promise<string> {
  const executable = join(folder, "probe");
  const target = hostTarget("glibc");
  const parts = await partsOf(target);
  const { loader: main, node } = parts;
  await pack({ target, main, node, seaConfig: { ...seaConfig, assets: assetsOf(parts) }, executable });
  return executable;
}

/** The product's sources as bundler and packer treat them when they are told nothing. */
export async function packNaively(folder: string): Promise<string> {
  const main = join(folder, "naive.cjs");
  const executable = join(folder, "naive");
  await build({
    entryPoints: [join(ROOT, "src/main.ts")],
    outfile: main,
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "warning",
    define: await constants(),
  });
  await pack({ target: hostTarget("glibc"), main, node: process.execPath, seaConfig: {}, executable });
  return executable;
}
