import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Metafile } from "esbuild";
import { npmPackage } from "../npm-package.ts";
import { runtimeVersion, TARGETS } from "../targets.ts";

const ROOT = join(import.meta.dirname, "../..");

const RULE = `\n${"=".repeat(80)}\n\n`;

/** The parts of the executables that are not ours, each with its licence: every package in the bundle, Node, Bun. */
export async function thirdPartyLicences(metafile: Metafile): Promise<string> {
  const packages = await Promise.all(bundledPackages(metafile).map(licenceOf));
  return [
    "What the executables of celery-probe consist of beside itself, and under which licences.\n",
    ...packages.map((one) => `In all executables:\n\n${one}`),
    `In the executables for glibc:\n\n${await nodeLicence()}`,
    `In the executables for musl:\n\n${bunLicence()}`,
    `In the executables for musl:\n\n${LIBSTDCXX}`,
    ...(await Promise.all(["LGPL-2", "GPL-3"].map(gnuLicence))),
  ].join(RULE);
}

/** Folders of packages, relative to the project. */
function bundledPackages({ inputs }: Metafile): readonly string[] {
  const folders = Object.keys(inputs).flatMap(
    (file) => /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(folders)].sort();
}

/** @throws Error if a package has no licence file */
async function licenceOf(folder: string): Promise<string> {
  const path = join(ROOT, folder);
  const { name, version } = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as {
    name: string;
    version: string;
  };
  const file = (await readdir(path)).find((one) => /^licen[cs]e(?:\.\w+)?$/i.test(one));
  if (file === undefined) throw new Error(`${relative(ROOT, path)} has no licence: expected LICENSE`);
  return `${name} ${version}\n\n${await readFile(join(path, file), "utf8")}`;
}

async function nodeLicence(): Promise<string> {
  const target = TARGETS.find(({ libc, arch }) => libc === "glibc" && arch === process.arch);
  if (target === undefined) throw new Error(`no Node for ${process.arch}`);
  const licence = await readFile(join(await npmPackage(target.runtime), "LICENSE"), "utf8");
  return `Node.js ${runtimeVersion(target)}\n\n${licence}`;
}

function bunLicence(): string {
  const target = TARGETS.find(({ libc }) => libc === "musl");
  const version = target === undefined ? "" : runtimeVersion(target);
  return `Bun ${version}

Bun itself is under the MIT licence:

${MIT}
It statically links JavaScriptCore and other parts of WebKit, which are under the LGPL 2 (below), and BoringSSL, brotli,
libarchive, lol-html, lsquic, mimalloc, picohttpparser, zstd, simdutf, tinycc, uSockets, uWebSockets, zlib, c-ares, ICU,
libdeflate and others under licences of their own. LICENSE.md of https://github.com/oven-sh/bun (tag bun-v${version}) lists
them all, and says how Bun is linked anew with another WebKit: https://github.com/oven-sh/webkit.
`;
}

/** Without a line of copyright, like Bun's licence. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

/** The text from Debian. The executables for musl need Debian's compiler anyway. @throws Error if it is missing */
async function gnuLicence(name: string): Promise<string> {
  const path = `/usr/share/common-licenses/${name}`;
  const text = await readFile(path, "utf8").catch(() => {
    throw new Error(`${path} is missing: expected Debian's package base-files`);
  });
  return `${name}, of parts of the executables for musl:\n\n${text}`;
}

const LIBSTDCXX = `libstdc++ of GCC, as Debian builds it: what Bun takes from it and no more, see build/link-away/

GPL 3 (below) or later with the GCC Runtime Library Exception 3.1, which permits this combination under terms of our choice:
https://www.gnu.org/licenses/gcc-exception-3.1.html
`;
