import { readFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import type { Metafile, Plugin } from "esbuild";
import { bundle } from "../build/bundle.ts";
import { RUNTIME_FLAGS } from "../build/runtime.ts";
import { ROOT } from "../scripts/suite.ts";
import { probing } from "./contenders.ts";
import type { Bench } from "./measure.ts";
import { run } from "./run.ts";

/** The modules that a run has loaded. Each list is sorted. */
export interface Loaded {
  /** Our own files and the files of packages, relative to the project's folder. */
  readonly files: readonly string[];
  /** Node's modules that an empty script does not load. */
  readonly builtins: readonly string[];
}

/** The variable with the name of the file for the list. */
const LIST = "LOADED_MODULES";

/** Makes every module record in its first line that it is loaded. At the end of the run, it writes the list. */
const recorder: Plugin = {
  name: "recorder",
  setup(build) {
    build.initialOptions.banner = {
      js:
        "const loadedBefore = new Set(process.moduleLoadList), loadedFiles = [];" +
        'process.on("exit", () => require("node:fs").writeFileSync(process.env.' +
        `${LIST}, JSON.stringify({ files: loadedFiles, builtins: process.moduleLoadList.filter((name) => !loadedBefore.has(name)) })));`,
    };
    build.onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => ({
      contents: `loadedFiles.push(${JSON.stringify(relative(ROOT, path))});\n${await readFile(path, "utf8")}`,
      loader: extname(path) === ".ts" ? "ts" : "js",
    }));
  },
};

/** Lists what a healthy check of the node loads, and which files import it. */
export async function loadedModules(
  bench: Bench,
  node: string,
): Promise<{ readonly loaded: Loaded; readonly metafile: Metafile }> {
  const script = join(bench.container.folder, "recorded.cjs");
  const list = join(bench.container.folder, "loaded.json");
  const metafile = await bundle(script, { plugins: [recorder] });
  const { args, env } = probing(script, node).command({ port: bench.server.port, isSlow: false });
  await run(bench.container, bench.launcher, {
    file: process.execPath,
    args: [...RUNTIME_FLAGS, script, ...args],
    env: { ...env, [LIST]: list },
  });
  const { files, builtins } = JSON.parse(await readFile(list, "utf8")) as Loaded;
  const modules = builtins.flatMap((name) => /^NativeModule (.*)$/.exec(name)?.[1] ?? []);
  return { loaded: { files: files.toSorted(), builtins: modules.toSorted() }, metafile };
}
