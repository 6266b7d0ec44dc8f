import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { bundleLoader } from "./bundle.ts";
import { warmCodeCache, wrapScript } from "./code-cache.ts";
import { npmPackage } from "./npm-package.ts";
import { pack, SEA_CONFIG } from "./pack.ts";
import { type Parts, partsOf } from "./parts.ts";
import { CODE_CACHE_ASSET, SCRIPT_ASSET } from "./runtime.ts";
import { strip } from "./strip.ts";
import { runtimeVersion, type Target } from "./targets.ts";

/** How an executable starts: with the code that V8 has compiled for it, or without it, which takes longer. */
export type Start = "warm" | "cold";

/**
 * Builds the executable for glibc: strips npm's Node, lets it compile what a check runs, packs both.
 *
 * pkg, the code cache and the blob need exactly the version of Node that goes into the executable. Another
 * architecture's Node runs under qemu; without qemu the executable has no code cache.
 *
 * @param executable absolute
 * @throws Error under another version of Node than the target's
 */
export async function buildByNode(target: Target, bundle: string, executable: string): Promise<Start> {
  const wanted = runtimeVersion(target);
  if (process.version !== `v${wanted}`)
    throw new Error(`this is Node ${process.version}: expected v${wanted}, which 'npm run build' uses`);
  const parts = await partsOf(target);
  const node = join(await npmPackage(target.runtime), "bin/node");
  await bundleLoader(parts.loader);
  await wrapScript(bundle, parts.script);
  const command = await commandOf(node, target);
  if (command === null) await writeFile(parts.codeCache, "");
  else await warmCodeCache(command, parts.script, parts.codeCache);
  await strip(node, parts.node);
  await pack({
    target,
    main: parts.loader,
    node: parts.node,
    seaConfig: { ...SEA_CONFIG, assets: assetsOf(parts) },
    executable,
  });
  return command === null ? "cold" : "warm";
}

/** The files that the loader finds in the executable. */
export function assetsOf({ script, codeCache }: Parts): Record<string, string> {
  return { [SCRIPT_ASSET]: script, [CODE_CACHE_ASSET]: codeCache };
}

/** The command that starts that Node on this machine; null: it cannot be started. */
async function commandOf(node: string, { arch, machine }: Target): Promise<readonly string[] | null> {
  if (arch === process.arch) return [node];
  const emulated = [`/usr/bin/qemu-${machine}-static`, "-L", `/usr/${machine}-linux-gnu`, node] as const;
  const [emulator, ...words] = emulated;
  const { failed } = await execa(emulator, [...words, "--version"], { reject: false });
  return failed ? null : emulated;
}
