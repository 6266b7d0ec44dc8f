// `npm run bench:fleet`: what the probes of a large fleet cost its workers and its Redis; writes docs/fleet.md.
import { rmSync } from "node:fs";
import { copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { ROOT, step } from "../../scripts/suite.ts";
import { startServer } from "../../test/world/server.ts";
import { measureOneProbe } from "./one-probe.ts";
import { fleetPage } from "./page.ts";
import { measureRedis } from "./redis-cost.ts";
import { AIM, first, type Machine } from "./results.ts";
import { measureWhole } from "./whole.ts";
import { measureWorkers } from "./worker-cost.ts";

const USAGE = `npm run bench:fleet -- [--quick] [--built]
  --quick  few and short rounds; prints the page and writes none
  --built  measures the executable that is there instead of building it first`;

const FULL = {
  rounds: 3,
  seconds: 5,
  sizes: [1, 10, 100, 1000, 3000],
  fleets: [1, 100, 1000, 3000],
  runs: 20,
  workers: 24,
  whole: 30,
};
const QUICK = {
  rounds: 1,
  seconds: 3,
  sizes: [1, 100, 1000],
  fleets: [1, 100, 1000],
  runs: 5,
  workers: 6,
  whole: 6,
};

const { quick, built } = options();
const plan = quick ? QUICK : FULL;
const [loadOf1 = Number.NaN, loadOf5 = Number.NaN] = loadavg();
if (!built && !(await step("the executable", process.execPath, "build.mjs"))) process.exit(1);

const folder = await mkdtemp(join(tmpdir(), "celery-probe-fleet-"));
// A copy, so that a build in the meantime does not change what is measured.
const executable = join(folder, "celery-probe");
await copyFile(join(ROOT, "dist/celery-probe"), executable);
process.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

const machine = await describeMachine();
const workers = await part("a ping and a worker", () => measureWorkers(plan.rounds, plan.seconds));
const redis = await part("a ping and Redis", () => measureRedis(plan.sizes, plan.seconds));
const probes = await part("one probe, by the size of the fleet", () =>
  measureOneProbe(executable, plan.fleets, plan.runs),
);
const probeCpu = first(probes).cpu;
const whole = await part("the executable at a fleet's rate", () =>
  measureWhole({ executable, workers: plan.workers, size: AIM.workers, seconds: plan.whole, probeCpu }),
);
const page = fleetPage({ machine, workers, redis, probes, whole });
if (quick) console.log(`\n${page}`);
else await writeFile(join(ROOT, "docs/fleet.md"), page);
const failures = new Set(whole.failures.map((said) => said.replaceAll(/\d+/g, "n")));
for (const said of failures) console.log(`did not say alive: ${said}`);
console.log(`\n${(performance.now() / 1000).toFixed(0)} s${quick ? "" : ", docs/fleet.md is written"}`);
process.exit(whole.failures.length === 0 ? 0 : 1);

async function part<T>(title: string, measure: () => Promise<T>): Promise<T> {
  console.log(`\n── ${title}`);
  return measure();
}

async function describeMachine(): Promise<Machine> {
  await using server = await startServer();
  const redis = server.client();
  const info = await redis.info("server");
  const said = (name: string) => new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
  const valkey = said("valkey_version");
  const { stdout } = await execa(executable, ["--version"]);
  return {
    processor: cpus()[0]?.model ?? "unknown processor",
    cores: cpus().length,
    kernel: release(),
    server: valkey === undefined ? `Redis ${said("redis_version")}` : `Valkey ${valkey}`,
    node: `Node ${process.versions.node}`,
    probe: stdout.trim(),
    load: [loadOf1, loadOf5],
    date: new Date().toISOString().slice(0, 10),
  };
}

function options() {
  const off = { type: "boolean", default: false } as const;
  try {
    return parseArgs({ options: { quick: off, built: off } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(1);
  }
}
