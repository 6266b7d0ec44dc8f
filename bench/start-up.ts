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

/** The least of so many counts: one look more at the list of replies, or a busy worker, is no cost of the start. */
const RUNS = 2;

/**
 * What a healthy check by dist/celery-probe costs, in numbers that do not depend on what else the machine does.
 *
 * @throws Error where there is no executable, or valgrind and a C compiler can neither be found nor installed
 */
export async function measureStartUp(): Promise<{ readonly measured: Budget; readonly metafile: Metafile }> {
  const executable = join(ROOT, "dist/celery-probe");
  await access(executable);
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-start-up-"));
  try {
    const { run: launcher } = await compileAll(folder);
    await using server = await startServer();
    await using container = await startContainer();
    await using worker = await container.startWorker({ server, celery: "5.7.0" });
    const bench = { container, server, launcher };
    const least = async (contender: Parameters<typeof measureInstructions>[1]) => {
      const counts: number[] = [];
      for (let run = 0; run < RUNS; run++) counts.push(await measureInstructions(bench, contender));
      return Math.min(...counts);
    };
    const empty = await least(idling(await packEmpty(folder)));
    const probe = await least(probing(executable, worker.node));
    const { loaded, metafile } = await loadedModules(bench, worker.node);
    return { measured: { instructions: Math.round((probe - empty) / 1e6), ...loaded }, metafile };
  } finally {
    await rm(folder, { recursive: true });
  }
}
