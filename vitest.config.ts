import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The canaries are looked at when everything else has run. */
class CanaryLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isCanary = ({ moduleId }: TestSpecification) => moduleId.endsWith("/canary.test.ts");
    const sorted = await super.sort(files);
    return [...sorted.filter((file) => !isCanary(file)), ...sorted.filter(isCanary)];
  }
}

/** Vitest waits for a second: a worker, and a probe that starts while other tests use the machine, may take longer. */
const PATIENT = { poll: { timeout: 15_000 } };

/**
 * Three suites: `unit` (pure tables and a scripted server, seconds), `e2e` (the packaged executable against
 * real Redis and real Celery) and `system` (what needs root: a real Docker engine).
 */
export default defineConfig({
  test: {
    maxWorkers: 3,
    maxConcurrency: 2,
    sequence: { sequencer: CanaryLast },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/system/**"],
          // Property tests take seconds of a core that others use as well.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/canary-setup.ts"],
          expect: PATIENT,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          fileParallelism: false,
          expect: PATIENT,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
