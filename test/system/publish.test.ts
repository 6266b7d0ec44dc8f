import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { expect, inject, onTestFinished, test } from "vitest";
import { TARGETS } from "../../build/targets.ts";
import { ProcessGroup } from "../world/process-group.ts";
import { toolVenv } from "../world/python.ts";
import { freePort } from "../world/server.ts";
import { installMissing, searchPath } from "./debian.ts";
import { Docker } from "./docker.ts";
import { ROOT, VERSION } from "./probe-image.ts";

test("npm run release -- wheels uploads each wheel of dist/ to an index", async () => {
  const folder = temporary();
  const venv = await toolVenv("index", ["pypiserver==2.4.2"]);
  const packages = join(folder, "packages");
  mkdirSync(packages);
  const port = await freePort();
  const words = ["run", "--interface", "127.0.0.1", "--port", String(port), "-P", ".", "-a", ".", packages];
  await started("index", [join(venv, "bin/pypi-server"), ...words], /Listening on/);
  await release(["wheels"], {
    UV_PUBLISH_URL: `http://127.0.0.1:${port}/`,
    UV_PUBLISH_USERNAME: "nobody",
    UV_PUBLISH_PASSWORD: "nothing",
  });
  const wheels = TARGETS.map(({ wheelTag }) => `celery_probe-${VERSION}-py3-none-${wheelTag}.whl`);
  expect(readdirSync(packages).sort()).toEqual(wheels.sort());
  for (const name of wheels) expect(sha256(join(packages, name))).toBe(sha256(join(ROOT, "dist", name)));
});

test("npm run release -- image pushes one image for both architectures under each tag", async () => {
  const { env, networkPid } = inject("engine");
  const docker = new Docker(env);
  const folder = temporary();
  await installMissing({ "docker-registry": "docker-registry" });
  // The registry runs in the engine's network, and so does its client.
  const inside = networkPid === null ? [] : ["nsenter", "--target", String(networkPid), "--net", "--"];
  const port = networkPid === null ? await freePort() : 5000;
  const config = join(folder, "registry.yaml");
  const registry = join(folder, "registry");
  const storage = `storage: { filesystem: { rootdirectory: ${registry} } }`;
  writeFileSync(config, `version: 0.1\n${storage}\nhttp: { addr: "127.0.0.1:${port}" }\n`);
  await started("registry", [...inside, "docker-registry", "serve", config], /listening on/);

  const name = `127.0.0.1:${port}/Owner/celery-probe`;
  const wanted = { ...env, BASE: "scratch", MUSL_BASE: "scratch", HOME: folder };
  const path = [dirname(await docker.builder()), searchPath()].join(delimiter);
  const { stdout } = await release(["image", name], { ...wanted, PATH: path }, inside);
  const [, pushed = "", glibc = "", musl = "", serve = ""] =
    /^name=(\S+)\nglibc=(sha256:[0-9a-f]{64})\nmusl=(sha256:[0-9a-f]{64})\nserve=(sha256:[0-9a-f]{64})$/.exec(
      stdout,
    ) ?? [];
  expect(pushed).toBe(name.toLowerCase());
  onTestFinished(async () => {
    const images = await docker.run(["image", "ls", "--quiet", "--filter", `reference=${pushed}`]);
    await docker.run(["image", "rm", "--force", ...new Set(images.split("\n"))]);
  });

  for (const [digest, tags] of [
    [glibc, [VERSION, "latest"]],
    [musl, [`${VERSION}-musl`, "musl"]],
    [serve, [`${VERSION}-serve`, "serve"]],
  ] as const) {
    for (const tag of tags) {
      const stored = storedUnder(registry, tag);
      expect(stored.digest).toBe(digest);
      const { manifests } = JSON.parse(stored.manifest) as { manifests: { platform: object }[] };
      expect(manifests.map(({ platform }) => platform)).toEqual([
        { architecture: "amd64", os: "linux" },
        { architecture: "arm64", os: "linux" },
      ]);
    }
  }
});

/** Runs the step as the workflow does; `within` enters a network. */
function release(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  within: readonly string[] = [],
) {
  const [command = "", ...rest] = [...within, process.execPath, "scripts/release.ts", ...words];
  return execa(command, rest, { cwd: ROOT, env, stdin: "ignore" });
}

/** What the registry has stored under a tag: the digest, and the unchanged manifest. */
function storedUnder(registry: string, tag: string): { readonly digest: string; readonly manifest: string } {
  const root = join(registry, "docker/registry/v2");
  const link = join(root, "repositories/owner/celery-probe/_manifests/tags", tag, "current/link");
  const digest = readFileSync(link, "utf8");
  const [algorithm = "", hash = ""] = digest.split(":");
  return {
    digest,
    manifest: readFileSync(join(root, "blobs", algorithm, hash.slice(0, 2), hash, "data"), "utf8"),
  };
}

/** Starts a server that ends with the test, and waits until it reports that it listens. */
async function started(what: string, command: readonly string[], ready: RegExp): Promise<void> {
  const [program = "", ...words] = command;
  const env = { PATH: searchPath() };
  const group = await ProcessGroup.start({ what, command: program, args: () => words, env: () => env });
  onTestFinished(() => group.stop(0).then(() => undefined));
  await group.waitForLog(ready);
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "celery-probe-publish-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
