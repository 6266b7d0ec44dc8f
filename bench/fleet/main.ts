// `npm run bench:serve` measures what it costs to watch a fleet by `serve`, by others and by a probe in each container.
// It writes docs/fleet.md in eight minutes. `-- --quick` prints the page of a small fleet and writes no file.
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, step } from "../../scripts/suite.ts";
import { celeryVenv } from "../../test/world/python.ts";
import { describeMachine } from "../machine.ts";
import { startFleet } from "./fleet.ts";
import { measureMonitors } from "./monitors.ts";
import { fleetPage, type Report } from "./page.ts";
import { measurePings, type PingCosts } from "./ping-costs.ts";

const FULL = { real: 24, sizes: [48, 1_000], seconds: 5, intervals: 2 };
const QUICK = { real: 4, sizes: [8, 50], seconds: 2, intervals: 1 };

const words = process.argv.slice(2);
if (words.some((word) => word !== "--quick")) {
  console.error(`'${words.join(" ")}': expected nothing, or --quick`);
  process.exit(1);
}
const [load = 0] = loadavg();
const isQuick = words.length > 0;
if (!(await step("the executable", process.execPath, "build.mjs"))) process.exit(1);
const report = await measure(isQuick ? QUICK : FULL);
if (isQuick) console.log(fleetPage(report));
else await writeFile(join(ROOT, "docs/fleet.md"), fleetPage(report));

async function measure({ real, sizes, seconds, intervals }: typeof FULL): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-fleet-"));
  // A copy, so that a build in the meantime does not change the measured program.
  const executable = join(folder, "celery-probe");
  try {
    await copyFile(join(ROOT, "dist/celery-probe"), executable);
    const pings: PingCosts[] = [];
    for (const [at, size] of sizes.entries()) {
      console.log(`\n── a fleet of ${size}`);
      await using fleet = await startFleet(real, size);
      pings.push(await measurePings(fleet, executable, seconds));
      if (at < sizes.length - 1) continue;
      const monitors = await measureMonitors(fleet, executable, intervals);
      const machine = await describeMachine(fleet.server, await celeryVenv("5.7.0"));
      return { machine: [...machine, ["load average before", load.toFixed(1)]], pings, monitors };
    }
    throw new RangeError("no fleet was measured");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
