import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import manifest from "../../package.json" with { type: "json" };
import type { Target } from "../targets.ts";

export interface Wheel {
  readonly target: Target;
  readonly version: string;
  /** The file for the environment's `bin`. */
  readonly executable: string;
  /** Text for PyPI's page, in Markdown. */
  readonly readme: string;
  /** Texts by name, for `licenses/`. */
  readonly licences: Readonly<Record<string, string>>;
  /** The time of all files in it, in seconds since 1970. */
  readonly time: number;
}

/** A distribution's name in file names (PyPA, Binary distribution format). */
const NAME = manifest.name.replaceAll("-", "_");

/** The wheel's file name. */
export function wheelName({ version, target }: Pick<Wheel, "version" | "target">): string {
  return `${NAME}-${version}-${tagOf(target)}.whl`;
}

/**
 * Writes the wheel with which `pip install` puts the executable into an environment. It has a script in
 * `.data/scripts`, which installers copy unchanged, and three files about it. It contains no Python (PyPA, Binary
 * distribution format and Core metadata).
 *
 * @returns the wheel's file name
 */
export async function writeWheel(folder: string, wheel: Wheel): Promise<string> {
  const { target, version, executable, readme, licences, time } = wheel;
  const info = `${NAME}-${version}.dist-info`;
  const files = new Map<string, Buffer>([
    [`${NAME}-${version}.data/scripts/${manifest.name}`, await readFile(executable)],
    ...Object.entries(licences).map(
      ([name, text]) => [`${info}/licenses/${name}`, Buffer.from(text)] as const,
    ),
    [`${info}/METADATA`, Buffer.from(metadata(version, readme, Object.keys(licences)))],
    [
      `${info}/WHEEL`,
      Buffer.from(
        lines([
          "Wheel-Version: 1.0",
          `Generator: ${manifest.name} (${version})`,
          "Root-Is-Purelib: false",
          `Tag: ${tagOf(target)}`,
        ]),
      ),
    ],
  ]);
  const record = `${info}/RECORD`;
  const rows = Array.from(files, ([path, content]) => {
    const digest = createHash("sha256").update(content).digest("base64url");
    return `${path},sha256=${digest},${content.length}`;
  });
  files.set(record, Buffer.from(lines([...rows, `${record},,`])));

  const zip = new ZipFile();
  const mtime = sameEverywhere(time);
  for (const [path, content] of files) {
    const mode = path.includes(".data/scripts/") ? 0o100755 : 0o100644;
    zip.addBuffer(content, path, { mtime, mode, forceDosTimestamp: true });
  }
  zip.end();
  const name = wheelName(wheel);
  await pipeline(zip.outputStream, createWriteStream(join(folder, name)));
  return name;
}

function tagOf({ wheelTag }: Target): string {
  return `py3-none-${wheelTag}`;
}

/** Zip files store local times without a zone. This gives the same time in every zone. */
function sameEverywhere(time: number): Date {
  const utc = new Date(time * 1_000);
  return new Date(utc.getTime() + utc.getTimezoneOffset() * 60_000);
}

function metadata(version: string, readme: string, licences: readonly string[]): string {
  const fields = [
    "Metadata-Version: 2.4",
    `Name: ${manifest.name}`,
    `Version: ${version}`,
    `Summary: ${manifest.description}`,
    `Keywords: ${manifest.keywords.join(",")}`,
    `License-Expression: ${manifest.license}`,
    ...licences.map((name) => `License-File: ${name}`),
    "Classifier: Environment :: Console",
    "Classifier: Intended Audience :: System Administrators",
    "Classifier: Operating System :: POSIX :: Linux",
    "Classifier: Topic :: System :: Monitoring",
    "Description-Content-Type: text/markdown",
  ];
  return `${lines(fields)}\n${readme}`;
}

function lines(list: readonly string[]): string {
  return list.map((one) => `${one}\n`).join("");
}
