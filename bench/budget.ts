import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Metafile } from "esbuild";
import type { Loaded } from "./loaded-modules.ts";

/** The allowed cost of a healthy check's start. It was recorded when a developer last decided about it. */
export interface Budget extends Loaded {
  /** Millions of instructions in user mode, minus the instructions of an empty executable. */
  readonly instructions: number;
}

/** The form in the file: names by folder, separated by blanks. */
interface Stored {
  readonly instructions: number;
  readonly files: Record<string, string>;
  readonly builtins: string;
}

const FILE = join(import.meta.dirname, "budget.json");

/** New names in the sources change hashes. That may cost two percent more without any more work. */
const TOLERANCE = 1.05;

export async function readBudget(): Promise<Budget> {
  const { files, builtins, instructions } = JSON.parse(await readFile(FILE, "utf8")) as Stored;
  return {
    instructions,
    files: Object.entries(files).flatMap(([folder, names]) =>
      names.split(" ").map((name) => `${folder}/${name}`),
    ),
    builtins: builtins.split(" "),
  };
}

export async function writeBudget({ instructions, files, builtins }: Budget): Promise<void> {
  const folders = Object.groupBy(files, dirname);
  const names = Object.entries(folders).map(([folder, paths = []]): [string, string] => [
    folder,
    paths.map((path) => basename(path)).join(" "),
  ]);
  const stored: Stored = { instructions, files: Object.fromEntries(names), builtins: builtins.join(" ") };
  await writeFile(FILE, `${JSON.stringify(stored, null, 2)}\n`);
}

/**
 * Everything over the budget, one sentence each.
 *
 * @param metafile says which file imports what has been loaded
 */
export function overBudget(budget: Budget, measured: Budget, metafile: Metafile): string[] {
  const most = budget.instructions * TOLERANCE;
  return [
    ...(measured.instructions <= most
      ? []
      : [
          `a healthy check takes ${measured.instructions} million instructions beyond an empty executable's: expected ` +
            `${most.toFixed(0)} at most, as ${budget.instructions} are recorded`,
        ]),
    ...[...measured.files, ...measured.builtins]
      .filter((name) => !budget.files.includes(name) && !budget.builtins.includes(name))
      .map(
        (name) =>
          `${name} is loaded by a healthy check, and was not; ${importersOf(name, measured, metafile)}`,
      ),
  ];
}

function importersOf(name: string, { files }: Loaded, { inputs }: Metafile): string {
  const importers = files.filter((file) =>
    inputs[file]?.imports.some(
      ({ path, original }) => [path, original].includes(name) || path === `node:${name}`,
    ),
  );
  return importers.length === 0 ? "imported by a module of Node's" : `imported by ${importers.join(", ")}`;
}
