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
 * With the seed of V8's hashes fixed: drawn anew for each run, it costs or saves up to eight million instructions, in the
 * empty executable and in ours alike.
 */
const SEEDED = { ...SEA_CONFIG, execArgv: [...SEA_CONFIG.execArgv, SAME_HASHES] };

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
