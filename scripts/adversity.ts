// `npm run test:adversity`: thousands of inputs from outside that must do no harm. Needs root. All of it takes two
// hours.
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { rowOf, runAdversity } from "../test/adversity/adversity.ts";
import { ROOT, step } from "./suite.ts";

const USAGE = `npm run test:adversity -- [--seed N] [--only KIND] [--cases N] [--case N] [--short] [--built]
  --case   one case alone, to see it again
  --built  asks the executable that is there instead of building it first`;

const { seed, only, cases, case: single, short = false, built = false } = options();
if (!built && !(await step("the executable", process.execPath, "build.mjs"))) process.exit(1);
const isWhole = only === undefined && cases === undefined && single === undefined && !short;
const chosenSeed = number("seed", seed) ?? Date.now() % 1_000_000;
// Without this, the copy of the executable is not removed.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
const table = await runAdversity({
  executable: join(ROOT, "dist/celery-probe"),
  seed: chosenSeed,
  only: only ?? null,
  cases: single === undefined ? number("cases", cases) : 1,
  first: number("case", single) ?? 0,
  isShort: short,
  tell: (line) => {
    console.log(line);
  },
});
const figures = [rowOf(), ...table.map(rowOf)].join("\n");
console.log(`\n${figures}`);
if (isWhole) await writeFigures();
process.exit(table.every(({ faults }) => faults === 0) ? 0 : 1);

/** Only a whole run writes them; docs/reliability.md says so. */
async function writeFigures(): Promise<void> {
  const page = join(ROOT, "docs/reliability.md");
  const text = await readFile(page, "utf8");
  const stated = `Seed ${chosenSeed}, ${availableParallelism()} cores.\n\n${figures}`;
  const marks = /(<!-- figures -->\n\n).*(\n\n<!-- end of figures -->)/s;
  await writeFile(
    page,
    text.replace(marks, (_, before: string, after: string) => before + stated + after),
  );
}

function number(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return fail(`--${name} '${text}': expected a number`);
}

function options() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      options: { seed: text, only: text, cases: text, case: text, short: flag, built: flag },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(sentence: string): never {
  console.error(`${sentence}\n${USAGE}`);
  process.exit(1);
}
