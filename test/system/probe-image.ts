import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import type { BaseImages } from "./base-image.ts";
import type { Docker } from "./docker.ts";

/** The project's folder. */
export const ROOT: string = resolve(import.meta.dirname, "../..");

/** The version the image is labelled with, and that the executable prints. */
export const VERSION: string = manifest.version;

/** Docker's words for what Node calls x64 and arm64. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Builds Dockerfile.sidecar as a user would, on the minimal base.
 *
 * TARGETARCH is given, because the legacy builder of a client without buildx sets none.
 *
 * @throws Error when the executable has not been built for this machine
 */
export async function buildProbeImage(docker: Docker, bases: BaseImages, tag: string): Promise<void> {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const executable = join(ROOT, `dist/linux-${architecture}/celery-probe`);
  await access(executable).catch(() => {
    throw new Error(`${executable} is missing: npm run build`);
  });
  const values = { BASE: bases.slim, TARGETARCH: architecture, VERSION };
  const args = Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  await docker.run(["build", "--file", join(ROOT, "Dockerfile.sidecar"), ...args, "--tag", tag, ROOT]);
}
