import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hostTarget, nameOf, type Target } from "../../build/targets.ts";
import manifest from "../../package.json" with { type: "json" };
import type { BaseImages } from "./base-image.ts";
import type { Docker } from "./docker.ts";

/** The project's folder. */
export const ROOT: string = resolve(import.meta.dirname, "../..");

/** The version in the image's label and in the executable's output. */
export const VERSION: string = manifest.version;

/**
 * Builds Dockerfile.sidecar as a release does, from the executables in dist/, on the minimal base.
 *
 * @throws Error if the executable has not been built for this machine
 */
export async function buildProbeImage(
  docker: Docker,
  bases: BaseImages,
  tag: string,
  libc: Target["libc"],
  stage: "sidecar" | "serve" = "sidecar",
): Promise<void> {
  const executable = join(ROOT, "dist", nameOf(hostTarget(libc)), "celery-probe");
  await access(executable).catch(() => {
    throw new Error(`${executable} is missing: npm run package`);
  });
  const values = { EXECUTABLE: "released", LIBC: libc, BASE: bases.slim, MUSL_BASE: bases.musl, VERSION };
  await docker.build(
    ["--file", "Dockerfile.sidecar", "--target", stage, ...buildArgs(values), "--tag", tag, "."],
    ROOT,
  );
}

/** In the form that `docker build` reads. */
export function buildArgs(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
}
