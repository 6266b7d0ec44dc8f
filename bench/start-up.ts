import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { SEA_CONFIG } from "../build/pack.ts";
import { SAME_HASHES } from "../build/runtime.ts";
import { ROOT } from "../scripts/suite.ts";
import { startContainer } from "../test/world/container.ts";
import { startServer } from "../test/world/server.ts";
import type { Budget } from "./budget.ts";
import { compileLauncher } from "./compile.ts";
import { idling, probing } from "./contenders.ts";
import { loadedModules } from "./loaded-modules.ts";
import { measureInstructions } from "./measure.ts";
import { packAgain, packEmpty } from "./pack.ts";

/**
 * With a fixed seed for V8's hashes. A random seed costs or saves up to eight million instructions in each run, in the
 * empty executable as in ours.
 */
const SEEDED = { ...SEA_CONFIG, execArgv: [...SEA_CONFIG.execArgv, SAME_HASHES] };

/**
 * The cost of a healthy check by dist/celery-probe, in numbers that do not depend on the other load of the machine.
 *
 * @throws Error if the executable is missing, or if valgrind and a C compiler can neither be found nor installed
 */
export async function measureStartUp(): Promise<{ readonly measured: Budget; readonly metafile: Metafile }> {
  const executable = join(ROOT, "dist/celery-probe");
  await access(executable);
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-start-up-"));
  try {
    const launcher = await compileLauncher(folder);
    await using server = await startServer();
    await using container = await startContainer();
    await using worker = await container.startWorker({ server, celery: "5.7.0" });
    const bench = { container, server, launcher };
    const empty = await measureInstructions(bench, idling(await packEmpty(folder, SEEDED)));
    const probe = await measureInstructions(bench, probing(await packAgain(folder, SEEDED), worker.node));
    const instructions = Math.round((probe - empty) / 1e6);
    const { loaded, metafile } = await loadedModules(bench, worker.node);
    return { measured: { instructions, ...loaded }, metafile };
  } finally {
    await rm(folder, { recursive: true });
  }
}
