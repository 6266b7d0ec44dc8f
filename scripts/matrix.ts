// `npm run test:matrix`: makes every state of a worker for real and writes docs/matrix.md. Needs root, takes an hour.
// The results are kept in .cache/matrix/. The next run makes only the cells that are missing or were wrong.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cellsOf } from "../test/matrix/grid.ts";
import { matrixPage } from "../test/matrix/page.ts";
import { cellName, Results } from "../test/matrix/results.ts";
import { type CellResult, isRight, runCell } from "../test/matrix/run-cell.ts";
import type { Cell, State } from "../test/matrix/state.ts";
import { STATES } from "../test/matrix/table.ts";
import { countWrongs } from "../test/matrix/wrongs.ts";
import { celeryVenv } from "../test/world/python.ts";
import { ROOT, step } from "./suite.ts";

/** Cells wait more than they compute. The start of a worker uses a core for a second. */
const AT_ONCE = 3;

const USAGE = `npm run test:matrix -- [--state ID]… [--pool NAME]… [--celery VERSION]… [--built]
  --built  asks the executable that is there instead of building it first`;

const chosen = options();
if (chosen.built !== true && !(await step("the executable", process.execPath, "build.mjs"))) process.exit(1);

const folder = await mkdtemp(join(tmpdir(), "celery-probe-matrix-run-"));
// A copy, so that a build in the meantime does not change the tested program.
const executable = join(folder, "celery-probe");
await copyFile(join(ROOT, "dist/celery-probe"), executable);
process.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
const results = new Results(hashOfSources());

const cells = STATES.flatMap((state) => cellsOf(state).map((cell) => ({ state, cell }))).filter(isChosen);
if (cells.length === 0) fail("no cell is chosen");
const todo = cells.filter(({ state, cell }) => {
  const result = results.read(state, cell);
  return result === undefined || !isRight(result);
});
console.log(`${cells.length} cells, ${cells.length - todo.length} of them known from before`);
for (const celery of new Set(todo.map(({ cell }) => cell.celery))) {
  const pools = todo.filter(({ cell }) => cell.celery === celery).map(({ cell }) => cell.pool);
  await celeryVenv(celery, { eventlet: false });
  if (pools.includes("eventlet")) await celeryVenv(celery, { eventlet: true });
}

let done = 0;
await inTurn(
  todo.filter(({ state }) => state.alone !== true),
  AT_ONCE,
);
await inTurn(
  todo.filter(({ state }) => state.alone === true),
  1,
);

const read = (state: State, cell: Cell) => results.read(state, cell);
const missing = STATES.flatMap((state) => cellsOf(state).map((cell) => read(state, cell))).filter(
  (result) => result === undefined,
);
if (missing.length === 0) await writeFile(join(ROOT, "docs/matrix.md"), matrixPage(STATES, read));
else console.log(`\ndocs/matrix.md is not written: ${missing.length} cells of the table have not been run`);
const wrong = cells.filter(({ state, cell }) => {
  const result = read(state, cell);
  return result === undefined || !isRight(result);
});
const { probe, shellLine } = countWrongs(STATES, read);
console.log(`
${cells.length - wrong.length} of ${cells.length} cells right
celery-probe: ${probe.falseDead} false dead, ${probe.falseAlive} false alive
celery inspect ping -d: ${shellLine.falseDead} false dead, ${shellLine.falseAlive} false alive`);
for (const { state, cell } of wrong) console.log(`wrong: ${cellName(state, cell)}`);
process.exit(wrong.length === 0 ? 0 : 1);

async function inTurn(queue: readonly { state: State; cell: Cell }[], atOnce: number): Promise<void> {
  const waiting = [...queue];
  const takeTurns = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const began = performance.now();
      const result = await runCell(next.state, next.cell, executable, { shellLine: true });
      await results.write(next.state, next.cell, result);
      done += 1;
      tell(next.state, next.cell, result, (performance.now() - began) / 1000);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
}

function tell(state: State, cell: Cell, result: CellResult, seconds: number): void {
  const verdicts = result.answers.map(({ verdict, ms }) => `${verdict} ${ms} ms`).join(", ");
  const shell = result.shellLine === undefined ? "" : `, ping -d ${result.shellLine ?? "killed"}`;
  const mark = isRight(result) ? "right" : "WRONG";
  const progress = `${done}/${todo.length} ${mark} ${cellName(state, cell)}`;
  console.log(`${progress}: ${verdicts}${shell} (${seconds.toFixed(0)} s)`);
  for (const { problem, line } of result.answers) {
    if (problem !== null) console.log(`      ${problem}; it said: ${line}`);
  }
  if (result.failure !== null) console.log(`      ${result.failure.slice(0, 1500)}`);
}

function isChosen({ state, cell }: { state: State; cell: Cell }): boolean {
  const { state: ids = [state.id], pool = [cell.pool], celery = [cell.celery] } = chosen;
  return ids.includes(state.id) && pool.includes(cell.pool) && celery.includes(cell.celery);
}

function options() {
  const names = { type: "string", multiple: true } as const;
  try {
    const { values } = parseArgs({
      options: { state: names, pool: names, celery: names, built: { type: "boolean" } },
    });
    return values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/**
 * The files that decide the results: the packages, and every source except the ones that only put verdicts into words.
 */
function hashOfSources(): string {
  const source = join(ROOT, "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("render/"))
    .sort();
  const hash = createHash("sha256");
  for (const file of [...files.map((name) => join(source, name)), join(ROOT, "package-lock.json")]) {
    hash.update(file.slice(ROOT.length)).update(readFileSync(file));
  }
  return hash.digest("hex");
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
