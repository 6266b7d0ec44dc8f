import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { pack, SEA_CONFIG } from "../build/pack.ts";
import manifest from "../package.json" with { type: "json" };
import { ROOT } from "../scripts/suite.ts";

/** An executable of the product's Node and flags that does nothing: what no program in it can be cheaper than. */
export async function packEmpty(folder: string): Promise<string> {
  const main = join(folder, "empty.cjs");
  const executable = join(folder, "empty");
  await writeFile(main, "");
  await pack({ main, node: join(ROOT, "dist/bundle/node"), seaConfig: SEA_CONFIG, executable });
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
    define: { VERSION: JSON.stringify(manifest.version) },
  });
  await pack({ main, node: process.execPath, seaConfig: {}, executable });
  return executable;
}
