import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hostTarget, nameOf, type Target } from "../../build/targets.ts";
import manifest from "../../package.json" with { type: "json" };
import type { BaseImages } from "./base-image.ts";
import type { Docker } from "./docker.ts";

/** The project's folder. */
export const ROOT: string = resolve(import.meta.dirname, "../..");

/** The version the image is labelled with, and that the executable prints. */
export const VERSION: string = manifest.version;

/**
 * Builds Dockerfile.sidecar as a user would, on the minimal base.
 *
 * TARGETARCH is given, because the legacy builder of a client without buildx sets none.
 *
 * @param folder the build context: dist/, or a copy of it
 * @throws Error when the executable has not been built for this machine
 */
export async function buildProbeImage(
  docker: Docker,
  bases: BaseImages,
  tag: string,
  libc: Target["libc"],
  folder: string = join(ROOT, "dist"),
): Promise<void> {
  const target = hostTarget(libc);
  const executable = join(folder, nameOf(target), "celery-probe");
  await access(executable).catch(() => {
    throw new Error(`${executable} is missing: npm run package`);
  });
  const values = { BASE: bases.slim, MUSL_BASE: bases.musl, TARGETARCH: target.dockerArch, VERSION };
  const args = Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  const file = join(folder, "Dockerfile.sidecar");
  await docker.run(["build", "--file", file, ...args, "--target", libc, "--tag", tag, folder]);
}
