import { execa } from "execa";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { type Target, TARGETS } from "../targets.ts";

const ROOT = join(import.meta.dirname, "../..");

const ENVIRONMENT = {
  DOCKER_BUILDKIT: "1",
  // `docker manifest` joins single images. With its own attestations, BuildKit makes an index of each image instead.
  BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
  // Clients before version 23 have `docker manifest` only with this.
  DOCKER_CLI_EXPERIMENTAL: "enabled",
};

/** An image that a release publishes. */
export interface PublishedImage {
  /** The name of its digest among the outputs of the workflow's step. */
  readonly output: string;
  /** A stage of Dockerfile.sidecar. */
  readonly stage: "sidecar" | "serve";
  readonly libc: Target["libc"];
  /** Appended to the version, and used alone for the newest one; null: `latest`. */
  readonly tag: string | null;
}

export const IMAGES: readonly PublishedImage[] = [
  { output: "glibc", stage: "sidecar", libc: "glibc", tag: null },
  { output: "musl", stage: "sidecar", libc: "musl", tag: "musl" },
  { output: "serve", stage: "serve", libc: "glibc", tag: "serve" },
];

/** The tag of this version, and the tag that moves to each new version. */
export function tagsOf(
  { tag }: PublishedImage,
  version: string,
): readonly [numbered: string, newest: string] {
  return tag === null ? [version, "latest"] : [`${version}-${tag}`, tag];
}

/**
 * Builds the image for each architecture from the executables in dist/ and pushes them. Joins them under its two tags.
 * No code of another architecture runs. BASE and MUSL_BASE of the environment are used.
 *
 * @param name of the image, with registry and without tag
 * @returns the digest that the tags name
 */
export async function publishImage(name: string, published: PublishedImage): Promise<string> {
  const { version } = manifest;
  const { libc, stage } = published;
  const [numbered, newest] = tagsOf(published, version);
  const values = ["EXECUTABLE=released", `LIBC=${libc}`, `VERSION=${version}`, "BASE", "MUSL_BASE"];
  const images: string[] = [];
  for (const { dockerArch } of TARGETS.filter((target) => target.libc === libc)) {
    const image = `${name}:${numbered}-${dockerArch}`;
    const options = ["--file", "Dockerfile.sidecar", "--target", stage, "--platform", `linux/${dockerArch}`];
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
  // Docker also treats registries of this machine like this.
  const insecure = name.startsWith("127.0.0.1:") ? ["--insecure"] : [];
  let digest = "";
  for (const tag of [numbered, newest]) {
    await docker(["manifest", "create", ...insecure, `${name}:${tag}`, ...images]);
    digest = await docker(["manifest", "push", ...insecure, "--purge", `${name}:${tag}`]);
  }
  return digest;
}

/** What it wrote to stdout. stderr is shown. */
async function docker(args: readonly string[]): Promise<string> {
  const shown = { stdout: ["pipe", process.stderr], stderr: "inherit" } as const;
  return (await execa("docker", args, { cwd: ROOT, env: ENVIRONMENT, ...shown })).stdout;
}
