import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { page } from "./build/page.ts";
import { FileWorlds } from "./test/world/file-worlds.ts";
import { whyForbidden } from "./test/world/namespaces.ts";
import { filesWithContainers } from "./test/world/without-worlds.ts";
import { WorldReporter } from "./test/world/world-reporter.ts";

/** The longest, each over a minute: one that begins last is waited for alone. */
const LONGEST = [
  "system/kubernetes",
  "system/release",
  "system/compose",
  "system/systemd",
  "system/placements",
  "system/broken",
  "e2e/doctor/undone",
  "e2e/matrix",
  "e2e/fleet",
  "e2e/doctor/log",
  "e2e/inside",
].map((name) => `/test/${name}.test.ts`);

/** The longest files first; the canaries are looked at when everything else has run. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      if (moduleId.endsWith("/canary.test.ts")) return Infinity;
      const at = LONGEST.findIndex((end) => moduleId.endsWith(end));
      return at === -1 ? LONGEST.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
  }
}

/** Vitest waits for a second: a worker, and a probe that starts while other tests use the machine, may take longer. */
const PATIENT = { poll: { timeout: 15_000 } };

const worlds = new FileWorlds();
const forbidden = whyForbidden();
const leftOut = forbidden === null ? null : { why: forbidden, files: filesWithContainers() };

/** Take both cores, or an engine's whole network (a swarm), or measure instructions: nothing may run beside them. */
const ALONE = ["adversity", "package", "start-up", "strangers", "swarm"].map(
  (name) => `test/system/${name}.test.ts`,
);

/** Want a browser and no engine. */
const PAGE_TESTS = "test/system/page/*.test.ts";

const SYSTEM = {
  globalSetup: ["test/system/engine-setup.ts"],
  expect: PATIENT,
  testTimeout: 300_000,
  hookTimeout: 900_000,
};

/**
 * Three suites: `unit` (pure tables and a scripted server, seconds), `e2e` (the packaged executable against
 * real Redis and real Celery) and `system` (what needs root: a real Docker engine, and for `page` a browser).
 */
export default defineConfig({
  test: {
    maxWorkers: 4,
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "json", new WorldReporter(worlds, leftOut)],
    outputFile: { json: ".cache/report/last.json" },
    projects: [
      {
        define: await page(),
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/system/**"],
          // Nothing in them changes what others import; each file in a process of its own takes twice the time.
          isolate: false,
          // Property tests take seconds of a core that others use as well.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: leftOut?.files ?? [],
          pool: leftOut === null ? worlds : "forks",
          globalSetup: ["test/e2e/canary-setup.ts"],
          expect: PATIENT,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...SYSTEM,
          name: "system",
          include: ["test/system/**/*.test.ts"],
          exclude: [...ALONE, PAGE_TESTS],
          // Health checks wait most of the time.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...SYSTEM,
          name: "system-alone",
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "page",
          include: [PAGE_TESTS],
          expect: PATIENT,
          testTimeout: 120_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
