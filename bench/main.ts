// `npm run bench` measures what one health check costs, and compares it with other programs. It writes
// docs/performance.md and its chart. Takes about ten minutes. As root it also measures charged memory and cold starts,
// and drops the page cache for this.
import { rmSync } from "node:fs";
import { access, constants, copyFile, mkdir, mkdtemp, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { wheelName } from "../build/release/wheel.ts";
import { hostTarget, nameOf, type Target, TARGETS } from "../build/targets.ts";
import manifest from "../package.json" with { type: "json" };
import { ROOT, step } from "../scripts/suite.ts";
import { findCommand, installMissing } from "../test/system/debian.ts";
import { installEmulators, type Start, startOf } from "../test/system/flavour.ts";
import { startContainer } from "../test/world/container.ts";
import { celeryVenv } from "../test/world/python.ts";
import { startServer } from "../test/world/server.ts";
import { memoryCgroups } from "./cgroup.ts";
import { performanceChart } from "./chart.ts";
import { compileLauncher } from "./compile.ts";
import { type Contender, contenders, FLOOR, MUSL, OURS, probing, REPLACED } from "./contenders.ts";
import { djangoProject } from "./django-project.ts";
import { describeMachine } from "./machine.ts";
import { type Bench, measureCharge, measureCosts, measureInstructions, measureTraffic } from "./measure.ts";
import { dropPageCache } from "./page-cache.ts";
import { packEmpty } from "./pack.ts";
import { type Flavour, type MeasuredRow, performancePage, type Row } from "./page.ts";
import type { Cost } from "./run.ts";
import { median } from "./statistics.ts";

/** Few, because an emulated run takes seconds. */
const EMULATED_ROUNDS = 5;

const ROUNDS = 25;

const PAGE = join(ROOT, "docs/performance.md");
const CHART = PAGE.replace(".md", ".svg");

// Installed before the release is built, so that its executables for other architectures contain compiled code.
await installEmulators().catch((error: unknown) => {
  console.log(String(error));
});
if (!(await step("the release", process.execPath, "scripts/package.ts"))) process.exit(1);

const folder = await mkdtemp(join(tmpdir(), "celery-probe-bench-"));
process.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

console.log("\n── the other contenders");
// Copies, so that a build in the meantime does not change the measured programs.
const [probe, musl] = [await copied("glibc"), await copied("musl")];
const empty = await packEmpty(folder);
const launcher = await compileLauncher(folder);
await installMissing({ "redis-cli": "redis-tools" }).catch((error: unknown) => {
  console.log(String(error));
});
const redisCli = (await findCommand("redis-cli")) ?? "redis-cli";
const projectFolder = join(folder, "project");
await mkdir(projectFolder);
const django = await djangoProject(projectFolder);
const celery = await celeryVenv("5.7.0");

await using server = await startServer();
await using container = await startContainer();
await using worker = await container.startWorker({ server, celery: "5.7.0" });
const bench: Bench = { container, server, launcher };

const all = contenders({
  node: worker.node,
  probe,
  musl,
  empty,
  redisCli,
  celery,
  django,
});
const obstacles = new Map<Contender, string>();
for (const contender of all) {
  const obstacle = await obstacleTo(contender);
  if (obstacle !== undefined) obstacles.set(contender, obstacle);
}
const present = all.filter((contender) => !obstacles.has(contender));

const charged = await memoryCgroups();
// How much of a file is mapped at once depends on how it came into the page cache. Now all files are read again.
if (typeof charged !== "string") await dropPageCache();
console.log(`\n── ${ROUNDS} rounds of ${present.length} contenders`);
const costs = await measureCosts(bench, present, ROUNDS, (round) => {
  if (round % 10 === 0) console.log(`round ${round} of ${ROUNDS}`);
});
const rows = new Map<string, Row>();
for (const contender of all) rows.set(contender.id, await rowOf(contender));

console.log("\n── every executable of the release");
const flavours: Flavour[] = [];
for (const target of TARGETS) flavours.push(await flavourOf(target));

const floor = measured(FLOOR);
const replaced = measured(REPLACED);
const machine = await describeMachine(server, celery);
const bars = [...rows.values()].flatMap((row) => (row.absent === undefined ? [barsOf(row)] : []));
await writeFile(CHART, performanceChart(bars));
const report = {
  rows: [...rows.values()],
  floor,
  replaced,
  flavours,
  machine,
  rounds: ROUNDS,
  chart: basename(CHART),
};
await writeFile(PAGE, performancePage(report));

async function rowOf(contender: Contender): Promise<Row> {
  const { name, details } = contender;
  const absent = obstacles.get(contender);
  console.log(`\n── ${name}${absent === undefined ? "" : `: ${absent}`}`);
  if (absent !== undefined) return { name, details, absent };
  const own = costs.get(contender) ?? [];
  console.log(`wall ${median(own.map(({ wallMs }) => wallMs)).toFixed(1)} ms`);
  const traffic = await measureTraffic(bench, contender);
  console.log(`${traffic.commands} commands to Redis`);
  const charge = typeof charged === "string" ? charged : await measureCharge(bench, charged, contender);
  console.log(
    typeof charge === "string" ? charge : `charged ${(charge.warmBytes / 1e6).toFixed(1)} MB, warm`,
  );
  const count = await measureInstructions(bench, contender);
  console.log(`${(count / 1e6).toFixed(1)} million instructions`);
  const fileBytes = contender.isWhole ? (await stat(contender.file)).size : null;
  return { name, details, costs: own, instructions: count, traffic, charge, fileBytes };
}

/** A copy of the release's executable for this machine. If it cannot be started here, only its name. */
async function copied(libc: Target["libc"]): Promise<string> {
  const target = hostTarget(libc);
  const copy = join(folder, nameOf(target));
  if ((await startHere(target)) !== null)
    await copyFile(join(ROOT, "dist", nameOf(target), "celery-probe"), copy);
  return copy;
}

/** Null: the emulator or loader that starts it is missing and cannot be installed. The reason is printed. */
async function startHere(target: Target): Promise<Start | null> {
  return await startOf(target).catch((error: unknown) => {
    console.log(`${nameOf(target)}: ${String(error)}`);
    return null;
  });
}

/** A build for another machine is measured under qemu, a few times. */
async function flavourOf(target: Target): Promise<Flavour> {
  const start = await startHere(target);
  const name = nameOf(target);
  const release = `celery-probe-${manifest.version}-${name}`;
  const sizeOf = async (path: string) => (await stat(join(ROOT, "dist", path))).size;
  return {
    name,
    fileBytes: await sizeOf(release),
    tarballBytes: await sizeOf(`${release}.tar.gz`),
    wheelBytes: await sizeOf(wheelName({ target, version: manifest.version })),
    isEmulated: start?.isEmulated ?? false,
    costs: start === null ? [] : await costsOf(target, start),
  };
}

/** Under emulation everything takes long, so no deadline of the probe may end it. */
async function costsOf({ libc }: Target, { isEmulated, words }: Start): Promise<readonly Cost[]> {
  if (!isEmulated) return measured({ glibc: OURS, musl: MUSL }[libc]).costs;
  const [file, ...before] = words;
  const asking = probing(file, worker.node, before);
  const all = await measureCosts(bench, [asking], EMULATED_ROUNDS, undefined, {
    port: server.port,
    isSlow: true,
  });
  return all.get(asking) ?? [];
}

function barsOf({ name, costs: own }: MeasuredRow) {
  return {
    name,
    wallMs: median(own.map(({ wallMs }) => wallMs)),
    cpuMs: median(own.map(({ cpuMs }) => cpuMs)),
  };
}

function measured(id: string): MeasuredRow {
  const row = rows.get(id);
  if (row?.absent === undefined && row !== undefined) return row;
  throw new Error(`nothing can be compared with '${id}', which was not measured`);
}

async function obstacleTo({ file }: Contender): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK);
    return undefined;
  } catch {
    return `\`${basename(file)}\` is not there`;
  }
}
