import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assetsOf } from "../build/by-node.ts";
import { pack, SEA_CONFIG, type SeaConfig } from "../build/pack.ts";
import { partsOf } from "../build/parts.ts";
import { hostTarget } from "../build/targets.ts";

/** An executable with the product's Node and flags that does nothing. No program in it can cost less. */
export async function packEmpty(folder: string, seaConfig: SeaConfig = SEA_CONFIG): Promise<string> {
  const main = join(folder, "empty.cjs");
  const executable = join(folder, "empty");
  await writeFile(main, "");
  const target = hostTarget("glibc");
  const { node } = await partsOf(target);
  await pack({ target, main, node, seaConfig, executable });
  return executable;
}

/** dist/celery-probe once more, from the parts that its build has left. */
export async function packAgain(folder: string, seaConfig: SeaConfig): Promise<string> {
  const executable = join(folder, "probe");
  const target = hostTarget("glibc");
  const parts = await partsOf(target);
  const { loader: main, node } = parts;
  await pack({ target, main, node, seaConfig: { ...seaConfig, assets: assetsOf(parts) }, executable });
  return executable;
}
