// `npm run package`: everything that a release has, for all machines, into dist/.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "../build/bundle.ts";
import { buildByBun } from "../build/by-bun.ts";
import { buildByNode } from "../build/by-node.ts";
import { commitTime } from "../build/commit.ts";
import { manPage } from "../build/man-page.ts";
import { BUNDLE } from "../build/parts.ts";
import { assetsOf, SUMS } from "../build/release/assets.ts";
import { thirdPartyLicences } from "../build/release/licences.ts";
import { releaseReadme, wheelReadme } from "../build/release/readme.ts";
import { sbom } from "../build/release/sbom.ts";
import { writeTarball } from "../build/release/tarball.ts";
import { writeWheel } from "../build/release/wheel.ts";
import { hostTarget, nameOf, type Target, TARGETS } from "../build/targets.ts";
import manifest from "../package.json" with { type: "json" };
import { ROOT } from "./suite.ts";

/** dist/ is replaced when everything is ready: a probe may be running from it. */
const DIST = join(ROOT, "dist.new");
const RELEASE = `celery-probe-${manifest.version}`;
const started = performance.now();
// All users may read the files of a release, whichever user has made it.
process.umask(0o022);

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST);
const metafile = await bundle(BUNDLE);
const time = await commitTime();
const licences = {
  LICENSE: await readFile(join(ROOT, "LICENSE"), "utf8"),
  "THIRD-PARTY-LICENSES.txt": await thirdPartyLicences(metafile),
};
for (const [name, text] of Object.entries(licences)) await writeFile(join(DIST, name), text);
await writeFile(join(DIST, "celery-probe.1"), manPage(manifest.version));
for (const target of TARGETS) await makeAllOf(target);
await link(executableOf(hostTarget("glibc")), join(DIST, "celery-probe"));
await writeFile(join(DIST, `${RELEASE}.cdx.json`), await sbom(time));
await writeFile(join(DIST, "README.md"), releaseReadme());
await writeFile(join(DIST, SUMS), await checksums());
await rm(join(ROOT, "dist"), { recursive: true, force: true });
await rename(DIST, join(ROOT, "dist"));
console.log(`dist/ is complete after ${((performance.now() - started) / 1_000).toFixed(0)} s`);

/** Dockerfile.sidecar looks for it here. The release has the same file under its own name. */
function executableOf(target: Target): string {
  return join(DIST, nameOf(target), "celery-probe");
}

async function makeAllOf(target: Target): Promise<void> {
  const executable = executableOf(target);
  const name = `${RELEASE}-${nameOf(target)}`;
  const start =
    target.libc === "glibc"
      ? await buildByNode(target, BUNDLE, executable)
      : (await buildByBun(target, BUNDLE, executable), "warm");
  await link(executable, join(DIST, name));
  const files: Record<string, string> = { "celery-probe": executable };
  for (const text of [...Object.keys(licences), "celery-probe.1"]) files[text] = join(DIST, text);
  await writeTarball(join(DIST, `${name}.tar.gz`), files, time);
  const wheel = await writeWheel(DIST, {
    version: manifest.version,
    target,
    executable,
    readme: wheelReadme(),
    licences,
    time,
  });
  const { size } = await stat(executable);
  const cold =
    start === "cold"
      ? "; without compiled code, as this machine cannot run it (no qemu): it starts slower"
      : "";
  console.log(`dist/${name}, ${(size / 1e6).toFixed(1)} MB${cold}\ndist/${name}.tar.gz\ndist/${wheel}`);
}

async function checksums(): Promise<string> {
  const names = await assetsOf(DIST);
  const lines = await Promise.all(names.map(async (name) => `${await sha256(name)}  ${name}\n`));
  return lines.join("");
}

async function sha256(name: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(join(DIST, name))) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
