import { relative } from "node:path";
import type { Reporter, TestCase, TestModule, TestSpecification } from "vitest/node";
import type { FileWorlds } from "./file-worlds.ts";

/** The e2e files that are not run, and why. */
export interface LeftOut {
  readonly why: string;
  readonly files: readonly string[];
}

/** Reports the progress of a run. Keeps and names the folder of each world with a failed test. */
export class WorldReporter implements Reporter {
  readonly #worlds: FileWorlds;
  readonly #leftOut: LeftOut | null;
  readonly #began = performance.now();
  #files = 0;
  #endedFiles = 0;
  #tests = 0;
  #failures: TestCase[] = [];

  constructor(worlds: FileWorlds, leftOut: LeftOut | null) {
    this.#worlds = worlds;
    this.#leftOut = leftOut;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#files = specifications.length;
    this.#sayWhatIsLeftOut();
  }

  #sayWhatIsLeftOut(): void {
    if (this.#leftOut === null) return;
    const { why, files } = this.#leftOut;
    console.log(`this kernel lets you make no namespaces: ${why}`);
    console.log(`${files.length} files of e2e tests need them and are left out: ${files.join(", ")}`);
    console.log("hint: run the tests as root, or change the setting");
  }

  onTestCaseResult(test: TestCase): void {
    this.#tests += 1;
    if (test.result().state === "failed") this.#failures.push(test);
  }

  onTestModuleEnd(): void {
    this.#endedFiles += 1;
    const seconds = Math.round((performance.now() - this.#began) / 1_000);
    const failed = this.#failures.length === 0 ? "" : `, ${this.#failures.length} failed`;
    console.log(
      `── ${this.#endedFiles} of ${this.#files} files, ${this.#tests} tests${failed}, ${seconds} s`,
    );
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const sick = modules.filter((module) => !module.ok());
    const kept = this.#worlds.removeExcept(new Set(sick.map(({ moduleId }) => moduleId)));
    for (const { moduleId } of sick) {
      const folder = kept.get(moduleId);
      if (folder === undefined) continue;
      console.log(`\nthe world of ${relative(process.cwd(), moduleId)} is kept: ${folder}`);
      for (const test of this.#failures.filter(({ module }) => module.moduleId === moduleId)) {
        console.log(`  ${test.fullName}`);
      }
    }
    this.#sayWhatIsLeftOut();
  }
}
