import { execa } from "execa";
import manifest from "../../package.json" with { type: "json" };
import { libstdcxxVersion } from "../link-away/libstdcxx.ts";
import { TARGETS } from "../targets.ts";

/** The parts of CycloneDX 1.5 that `npm sbom` writes and we change. */
interface Bom {
  serialNumber?: string;
  readonly metadata: { timestamp: string; lifecycles?: unknown; tools?: unknown; component: Component };
  components: Component[];
  dependencies: { readonly ref: string; dependsOn: string[] }[];
}

interface Component {
  readonly "bom-ref": string;
  type: string;
  name: string;
  readonly version: string;
  readonly purl?: string;
  scope?: string;
  properties?: unknown;
  readonly licenses?: readonly object[];
  components?: readonly Component[];
}

/**
 * The list of what the executables contain, for programs that look for known faults. It is npm's list of the packages,
 * with the runtimes and the parts of Node added.
 *
 * @param time of the release, in seconds since 1970
 */
export async function sbom(time: number): Promise<string> {
  const { stdout } = await execa(
    "npm",
    ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"],
    { cwd: `${import.meta.dirname}/../..` },
  );
  const bom = JSON.parse(stdout) as Bom;
  // npm adds a random number to each document and names itself. It also calls a private package by its folder and takes
  // it for a library.
  delete bom.serialNumber;
  delete bom.metadata.tools;
  delete bom.metadata.lifecycles;
  bom.metadata.component.type = "application";
  bom.metadata.timestamp = new Date(time * 1_000).toISOString();
  bom.metadata.component.name = manifest.name;
  const inside = new Set<string>(TARGETS.map(({ runtime }) => runtime));
  const isBuildTool = ({ name }: { name: string }) =>
    name in manifest.optionalDependencies && !inside.has(name);
  const left = new Set(bom.components.filter(isBuildTool).map((one) => one["bom-ref"]));
  bom.components = [
    ...bom.components
      .filter((one) => !isBuildTool(one))
      .map((one) => (one.name.startsWith("node-linux-") ? { ...one, components: partsOfNode(one) } : one)),
    libstdcxx(await libstdcxxVersion()),
  ];
  // The folders depend on npm's version. Only npm treats the runtimes as optional.
  for (const one of [bom.metadata.component, ...bom.components]) {
    delete one.properties;
    one.scope = "required";
  }
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => !left.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => !left.has(one)) }));
  return `${JSON.stringify(bom, null, 2)}\n`;
}

/** Taken from the Node that runs this. It has the same version as the one in the executables. */
function partsOfNode(node: Component): readonly Component[] {
  const others = ["node", "modules", "napi", "unicode", "tz", "cldr"];
  return (
    Object.entries(process.versions)
      // A part without a version was left out of this Node.
      .filter(([name, version]) => !others.includes(name) && version !== "")
      .map(([name, version = ""]) => ({
        "bom-ref": `${node["bom-ref"]}/${name}@${version}`,
        type: "library",
        name,
        version,
        purl: `pkg:generic/${name}@${encodeURIComponent(version)}`,
      }))
  );
}

function libstdcxx(version: string): Component {
  return {
    "bom-ref": `libstdc++@${version}`,
    type: "library",
    name: "libstdc++",
    version,
    purl: `pkg:generic/libstdc%2B%2B@${version}`,
    licenses: [{ expression: "GPL-3.0-or-later WITH GCC-exception-3.1" }],
  };
}
