import { readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { test } from "vitest";
import { toolVenv } from "../world/python.ts";
import { ROOT } from "./probe-image.ts";

const WORKFLOWS = ".github/workflows";

test.each([
  ["vendor.github-workflows", readdirSync(join(ROOT, WORKFLOWS)).map((name) => join(WORKFLOWS, name))],
  ["vendor.dependabot", [".github/dependabot.yml"]],
])("files for GitHub have the form that its schema asks for: %s", async (schema, files) => {
  const venv = await linters();
  await execa(join(venv, "bin/check-jsonschema"), ["--builtin-schema", schema, ...files], { cwd: ROOT });
});

test("zizmor finds no weakness in the workflows", async () => {
  const venv = await linters();
  await execa(join(venv, "bin/zizmor"), ["--offline", "--persona", "pedantic", ".github"], { cwd: ROOT });
});

function linters(): Promise<string> {
  return toolVenv("workflows", ["check-jsonschema==0.39.0", "zizmor==1.32.0"]);
}
