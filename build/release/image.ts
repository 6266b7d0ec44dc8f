import { execa } from "execa";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { type Target, TARGETS } from "../targets.ts";

const ROOT = join(import.meta.dirname, "../..");

const ENVIRONMENT = {
  DOCKER_BUILDKIT: "1",
  // `docker manifest` joins single images; with statements of its own BuildKit makes an index of each.
  BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
  // Clients before version 23 have `docker manifest` only so.
  DOCKER_CLI_EXPERIMENTAL: "enabled",
};

/**
 * Builds the image for each architecture from the executables in dist/ and pushes them. Joins them under two tags:
 * the version and `latest`. No code of another architecture runs. BASE and MUSL_BASE of the environment are used.
 *
 * @param name of the image, with registry and without tag
 * @returns the digest of what the tags name
 */
export async function publishImage(name: string, libc: Target["libc"]): Promise<string> {
  const { version } = manifest;
  const [numbered, newest] = libc === "glibc" ? [version, "latest"] : [`${version}-musl`, "musl"];
  const values = ["EXECUTABLE=released", `LIBC=${libc}`, `VERSION=${version}`, "BASE", "MUSL_BASE"];
  const images: string[] = [];
  for (const { dockerArch } of TARGETS.filter((target) => target.libc === libc)) {
    const image = `${name}:${numbered}-${dockerArch}`;
    const options = ["--file", "Dockerfile.sidecar", "--platform", `linux/${dockerArch}`];
    await docker([
      "build",
      ...options,
      ...values.flatMap((value) => ["--build-arg", value]),
      "-t",
      image,
      ".",
    ]);
    await docker(["push", image]);
    images.push(image);
  }
  // As the engine treats registries of this machine.
  const insecure = name.startsWith("127.0.0.1:") ? ["--insecure"] : [];
  let digest = "";
  for (const tag of [numbered, newest]) {
    await docker(["manifest", "create", ...insecure, `${name}:${tag}`, ...images]);
    digest = await docker(["manifest", "push", ...insecure, "--purge", `${name}:${tag}`]);
  }
  return digest;
}

/** What it wrote to stdout; shown on stderr. */
async function docker(args: readonly string[]): Promise<string> {
  const shown = { stdout: ["pipe", process.stderr], stderr: "inherit" } as const;
  return (await execa("docker", args, { cwd: ROOT, env: ENVIRONMENT, ...shown })).stdout;
}
