// Runs a task of this project under the project's own Node, after installing what is missing. It is plain JavaScript
// without dependencies, because it is the first thing that runs in a fresh clone, under any Node >= 20.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TASKS = {
  adversity: "scripts/adversity.ts",
  bench: "bench/main.ts",
  "bench-check": "bench/check.ts",
  build: "build.mjs",
  "build-bun": "scripts/build-bun.ts",
  demo: "scripts/demo.ts",
  docs: "scripts/docs.ts",
  package: "scripts/package.ts",
  release: "scripts/release.ts",
  pictures: "scripts/pictures.ts",
  matrix: "scripts/matrix.ts",
  test: "scripts/gate.ts",
  "test-bun": "scripts/test-bun.ts",
  "test-musl": "scripts/test-musl.ts",
  system: "scripts/system.ts",
  tally: "scripts/tally.ts",
  "bench-serve": "bench/fleet/main.ts",
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [task = "", ...words] = process.argv.slice(2);

if (!Object.hasOwn(TASKS, task)) fail(`unknown task '${task}': expected ${Object.keys(TASKS).join(", ")}`);
if (Number(process.versions.node.split(".")[0]) < 20) fail(`Node ${process.version}: expected 20 or newer`);
installPackages();
const node = join(root, "node_modules/.bin/node");
if (!existsSync(node))
  fail(`no Node 24 for ${process.platform} ${process.arch} on npm: expected linux on x64 or arm64`);
const child = spawn(node, [join(root, TASKS[/** @type {keyof typeof TASKS} */ (task)]), ...words], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}` },
});
// Ctrl-C reaches both processes. A signal to this process alone is meant for the task.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code) => process.exit(code ?? 1));

/** Runs `npm ci` if node_modules is missing or belongs to another lock file. */
function installPackages() {
  const stamp = join(root, "node_modules/.lock-sha256");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("installing the npm packages of package-lock.json into node_modules …");
  const { status, error } = spawnSync(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--include=dev", "--include=optional", "--loglevel=error"],
    {
      cwd: root,
      // Readers of a task's output want only what the task prints.
      stdio: ["inherit", 2, "inherit"],
    },
  );
  if (error !== undefined) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) fail("npm ci failed: see above");
  writeFileSync(stamp, wanted);
}

/**
 * @param {string} sentence
 * @returns {never}
 */
function fail(sentence) {
  console.error(`celery-probe: ${sentence}`);
  process.exit(1);
}
