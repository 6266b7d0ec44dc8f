import { createHash } from "node:crypto";
import { chmod, copyFile, cp, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cached } from "../world/cache.ts";
import { fetchedPackage, npmPackage } from "../../build/npm-package.ts";
import { hostTarget, runtimeVersion } from "../../build/targets.ts";
import { PAIRS } from "../world/pairs.ts";
import { findPython } from "../world/python.ts";
import { installMissing, searchPath } from "./debian.ts";
import type { Docker } from "./docker.ts";

/** The images that replace those a user would pull. */
export interface BaseImages {
  /** Replaces `debian:bookworm-slim`: only Debian's minimal base. */
  readonly slim: string;
  /** Replaces `alpine:3`: only musl, with neither a shell nor any other program. */
  readonly musl: string;
  /** Replaces `python:3.13-slim`: that base with Python, pip and the packages of the example's requirements.txt. */
  readonly python: string;
  /** Replaces `node:24-bookworm-slim`: Debian's minimal base with Node and npm. */
  readonly node: string;
  /** Replaces `redis:7`: listens on all addresses, without a password, writes nothing to disk. */
  readonly redis: string;
}

const SUITE = "bookworm";
const PAIR = PAIRS["5.7.0"];
/** Exact versions: pip in the container must find the example's requirements satisfied, so that it needs no network. */
const WHEELS = [
  ...[`celery[redis]==${PAIR.celery}`, `kombu==${PAIR.kombu}`, `redis==${PAIR.redisPy}`],
  // redis-py needs it on Pythons before 3.11.3, which Debian has. pip checks its own Python, not the target.
  "async-timeout==5.0.1",
];
/** The `python3` of {@link SUITE}. The wheels are chosen for it. */
const PYTHON = "3.11";
const PACKAGES = "python3 python3-venv ca-certificates redis-server";

const REPOSITORY = "celery-probe-test";
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Saves the minimal root before the packages go in, so that one bootstrap gives two images. The second half runs inside
 * the root. mmdebstrap has made apt usable there and keeps packages from starting services.
 */
const SAVE_AND_INSTALL = `set -eu
tar --create --file "$(dirname "$0")/slim.tar" --directory "$1" --exclude='./proc/*' --exclude='./sys/*' \\
  --exclude='./dev/*' --exclude='./tmp/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' \\
  --exclude=./usr/sbin/policy-rc.d .
DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get install --yes --quiet --no-install-recommends ${PACKAGES}
`;

const PYTHON_DOCKERFILE = `ARG FULL
FROM \${FULL}
COPY . /wheels
RUN python3 -m venv /opt/venv \\
 && /opt/venv/bin/pip install --quiet --no-index --find-links /wheels ${WHEELS.join(" ")} \\
 && rm -r /wheels
ENV PATH=/opt/venv/bin:${SEARCH_PATH} PIP_DISABLE_PIP_VERSION_CHECK=1
`;

/** The version that comes with Node 24. npm's own package contains all its dependencies. */
const NPM = {
  version: "11.19.1",
  integrity:
    "sha512-ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g==",
};

const NODE_DOCKERFILE = `ARG SLIM
FROM \${SLIM}
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
`;

const REDIS_CMD = JSON.stringify([
  ...["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"],
  ...["--save", "", "--appendonly", "no", "--dir", "/tmp"],
]);

/** Part of each tag. Other pins give other tags, so an image with its tag is always what this file describes. */
const PINS = createHash("sha256")
  .update(
    JSON.stringify([
      ...[SUITE, PACKAGES, SAVE_AND_INSTALL, PYTHON_DOCKERFILE, REDIS_CMD, "musl"],
      ...[NODE_DOCKERFILE, NPM, runtimeVersion(hostTarget("glibc"))],
    ]),
  )
  .digest("hex")
  .slice(0, 12);

/**
 * Makes the base images in the given engine, without pulling anything. Debian's packages come by mmdebstrap. Celery's
 * wheels come by the host's pip, whose settings name certificates and mirrors. Both are kept in `.cache/`.
 *
 * @throws Error if Debian's or PyPI's packages cannot be fetched
 */
export async function baseImages(docker: Docker): Promise<BaseImages> {
  const images = {
    slim: tag("slim"),
    musl: tag("musl"),
    python: tag("python"),
    node: tag("node"),
    redis: tag("redis"),
  };
  if (await hasAll(docker, Object.values(images))) return images;
  const began = performance.now();
  await removeBaseImages(docker);
  const roots = await debianRoots();
  const musl = await muslRoot(hostTarget("musl").dockerArch);
  const wheels = await celeryWheels();
  const full = tag("full");
  const path = `ENV PATH=${SEARCH_PATH}`;
  await docker.run(["import", "--change", path, join(roots, "slim.tar"), images.slim]);
  await docker.run(["import", "--change", path, join(roots, "full.tar"), full]);
  await docker.run(["import", "--change", path, join(musl, "root.tar"), images.musl]);
  await docker.run(
    ["build", "--quiet", "--build-arg", `FULL=${full}`, "--tag", images.python, "--file", "-", wheels],
    PYTHON_DOCKERFILE,
  );
  await docker.run(
    [
      ...["build", "--quiet", "--build-arg", `SLIM=${images.slim}`, "--tag", images.node],
      ...["--file", "-", await nodeAndNpm()],
    ],
    NODE_DOCKERFILE,
  );
  // The argument for --save is the empty string, which only the JSON form can express.
  const redis = `ARG FULL\nFROM \${FULL}\nCMD ${REDIS_CMD}\n`;
  await docker.run(["build", "--quiet", "--build-arg", `FULL=${full}`, "--tag", images.redis, "-"], redis);
  process.stderr.write(`made the base images … ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
  return images;
}

/** Removes the base images of these and of earlier pins. For engines that are not ours. */
export async function removeBaseImages(docker: Docker): Promise<void> {
  const format = "{{.Repository}}:{{.Tag}}";
  const listed = await docker.run([
    "image",
    "ls",
    "--filter",
    `reference=${REPOSITORY}/*`,
    "--format",
    format,
  ]);
  const tags = listed.split("\n").filter((line) => line !== "");
  if (tags.length > 0) await docker.run(["image", "rm", ...tags]);
}

function tag(name: string): string {
  return `${REPOSITORY}/${name}:${PINS}`;
}

async function hasAll(docker: Docker, images: readonly string[]): Promise<boolean> {
  return (await docker.try(["image", "inspect", ...images])).exitCode === 0;
}

/** The folder with `slim.tar` and `full.tar`. */
async function debianRoots(): Promise<string> {
  await installMissing({ mmdebstrap: "mmdebstrap" });
  const pins = { SUITE, SAVE_AND_INSTALL };
  return cached("debian-roots", `Debian ${SUITE} for the test images`, pins, async (folder) => {
    const hook = join(folder, "save-and-install");
    await writeFile(hook, `#!/bin/sh\n${SAVE_AND_INSTALL}`);
    await chmod(hook, 0o755);
    const words = ["--variant=minbase", `--customize-hook=${hook}`, SUITE, join(folder, "full.tar")];
    await execa("mmdebstrap", words, { env: { PATH: searchPath() }, stdin: "ignore" });
  });
}

/**
 * The folder with `root`, which contains only musl of this architecture, and with the same as `root.tar`. It is
 * unpacked and not run, so it may be of another architecture.
 *
 * @param architecture Debian's name of it
 */
export async function muslRoot(architecture: string): Promise<string> {
  await installMissing({ mmdebstrap: "mmdebstrap" });
  return cached(
    `musl-root-${architecture}`,
    `Debian's musl for ${architecture}`,
    { SUITE },
    async (folder) => {
      const words = ["--variant=extract", "--include=musl", `--architectures=${architecture}`, SUITE];
      await execa("mmdebstrap", [...words, join(folder, "root")], {
        env: { PATH: searchPath() },
        stdin: "ignore",
      });
      await mkdir(join(folder, "root/tmp"), { recursive: true });
      await execa("tar", [
        "-cf",
        join(folder, "root.tar"),
        "-C",
        join(folder, "root"),
        "--exclude=./dev/*",
        ".",
      ]);
    },
  );
}

/** The folder with `node` in the lock file's version, and `npm`. */
async function nodeAndNpm(): Promise<string> {
  const node = await npmPackage(hostTarget("glibc").runtime);
  const npm = await fetchedPackage("npm", NPM.version, NPM.integrity);
  return cached(
    "node-base",
    "Node for the test images",
    { node: runtimeVersion(hostTarget("glibc")), NPM },
    async (folder) => {
      const from = join(node, "bin/node");
      await link(from, join(folder, "node")).catch(() => copyFile(from, join(folder, "node")));
      await cp(npm, join(folder, "npm"), { recursive: true });
    },
  );
}

/** The folder with the wheels of {@link WHEELS} and of all their dependencies, which are pure Python. */
async function celeryWheels(): Promise<string> {
  const python = await findPython();
  const pip = await execa(python.path, ["-m", "pip", "--version"], { reject: false });
  if (pip.failed) await installMissing({ pip3: "python3-pip" });
  const folder = await cached(
    "wheels",
    `Celery ${PAIR.celery} as wheels`,
    { WHEELS, PYTHON },
    async (fresh) => {
      await mkdir(join(fresh, "wheels"));
      const target = ["--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"];
      const words = [
        "-m",
        "pip",
        "download",
        "--quiet",
        ...target,
        "--dest",
        join(fresh, "wheels"),
        ...WHEELS,
      ];
      await execa(python.path, words, { stdin: "ignore" });
    },
  );
  return join(folder, "wheels");
}
