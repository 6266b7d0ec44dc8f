import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CACHE_FOLDER } from "../test/world/cache.ts";
import { nameOf, type Target } from "./targets.ts";

/** The folder of the parts that executables are made from. The bundle is the same for all. */
const FOLDER = join(CACHE_FOLDER, "build");

/** The whole program as one CommonJS file. */
export const BUNDLE = join(FOLDER, "celery-probe.cjs");

/** The parts of a target's executable, as absolute paths. */
export interface Parts {
  readonly script: string;
  readonly codeCache: string;
  readonly loader: string;
  /** Its Node, without symbols. */
  readonly node: string;
}

export async function partsOf(target: Target): Promise<Parts> {
  const folder = join(FOLDER, nameOf(target));
  await mkdir(folder, { recursive: true });
  return {
    script: join(folder, "celery-probe.script.js"),
    codeCache: join(folder, "celery-probe.code-cache"),
    loader: join(folder, "loader.cjs"),
    node: join(folder, "node"),
  };
}
