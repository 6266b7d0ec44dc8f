import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { ROOT } from "../scripts/suite.ts";
import { startContainer } from "../test/world/container.ts";
import { startServer } from "../test/world/server.ts";
import type { Budget } from "./budget.ts";
import { compileAll } from "./compile.ts";
import { idling, probing } from "./contenders.ts";
import { loadedModules } from "./loaded-modules.ts";
import { measureInstructions } from "./measure.ts";
import { packEmpty } from "./pack.ts";

/**
 * The least of so many counts: where the machine is busy the worker answers late, and to wait for it takes millions of
 * instructions that are no cost of the start.
 */
const RUNS = 6;

/**
 * What a healthy check by dist/celery-probe costs, in numbers that do not depend on what else the machine does.
 *
 * @param enough millions of instructions at which nothing less is looked for
 * @throws Error where there is no executable, or valgrind and a C compiler can neither be found nor installed
 */
export async function measureStartUp(
  enough = 0,
): Promise<{ readonly measured: Budget; readonly metafile: Metafile }> {
  const executable = join(ROOT, "dist/celery-probe");
  await access(executable);
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-start-up-"));
  try {
    const { run: launcher } = await compileAll(folder);
    await using server = await startServer();
    await using container = await startContainer();
    await using worker = await container.startWorker({ server, celery: "5.7.0" });
    const bench = { container, server, launcher };
    const empty = await measureInstructions(bench, idling(await packEmpty(folder)));
    let instructions = Number.POSITIVE_INFINITY;
    for (let run = 0; run < RUNS && instructions > enough; run++) {
      const probe = await measureInstructions(bench, probing(executable, worker.node));
      instructions = Math.min(instructions, Math.round((probe - empty) / 1e6));
    }
    const { loaded, metafile } = await loadedModules(bench, worker.node);
    return { measured: { instructions, ...loaded }, metafile };
  } finally {
    await rm(folder, { recursive: true });
  }
}
