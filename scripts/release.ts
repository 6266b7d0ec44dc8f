// `npm run release -- STEP`: what .github/workflows/release.yaml does for a tag, one step at a time.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { assetsOf, SUMS } from "../build/release/assets.ts";
import { IMAGES, publishImage } from "../build/release/image.ts";
import { expectTagOf, notesOf } from "../build/release/notes.ts";
import manifest from "../package.json" with { type: "json" };
import { installEmulators } from "../test/system/flavour.ts";
import { uvPath } from "../test/world/python.ts";
import { ROOT } from "./suite.ts";

const DIST = join(ROOT, "dist");
const { version } = manifest;

const STEPS: Readonly<Record<string, (word: string) => Promise<void>>> = {
  /** Checks that the tag is the version of package.json, and that CHANGELOG.md has a dated section for it. */
  async tag(tag) {
    expectTagOf(version, tag);
    await notes();
    console.log(`version=${version}`);
  },
  /** Makes dist/, with compiled code in every executable. */
  async package() {
    await installEmulators();
    await import("./package.ts");
  },
  /** Uploads the wheels to PyPI, or to UV_PUBLISH_URL. */
  async wheels() {
    const names = (await assetsOf(DIST)).filter((name) => name.endsWith(".whl"));
    const uv = await uvPath();
    await execa(uv, ["publish", "--no-config", ...names], { cwd: DIST, stdio: "inherit" });
  },
  /** Pushes the images to this name, and prints outputs of a step. */
  async image(word) {
    const name = word.toLowerCase();
    console.log(`name=${name}`);
    for (const image of IMAGES) console.log(`${image.output}=${await publishImage(name, image)}`);
  },
  /** Prints the text of the release. */
  async notes() {
    process.stdout.write(await notes());
  },
  /** Prints the paths of the files that are published with it. */
  async files() {
    for (const name of [...(await assetsOf(DIST)), SUMS]) console.log(join("dist", name));
  },
};

/** The argument that follows a step. */
const WORDS: Readonly<Record<string, string>> = {
  tag: `a tag, such as v${version}`,
  image: "a name, such as registry.example/owner/celery-probe",
};

const [name = "", word = ""] = process.argv.slice(2);
if (!Object.hasOwn(STEPS, name)) fail(`unknown step '${name}': expected ${Object.keys(STEPS).join(", ")}`);
if (word === "" && Object.hasOwn(WORDS, name)) fail(`nothing behind '${name}': expected ${WORDS[name]}`);
try {
  await STEPS[name]?.(word);
} catch (error) {
  fail((error as Error).message);
}

async function notes(): Promise<string> {
  return notesOf(await readFile(join(ROOT, "CHANGELOG.md"), "utf8"), version);
}

function fail(sentence: string): never {
  console.error(`celery-probe: ${sentence}`);
  process.exit(1);
}
