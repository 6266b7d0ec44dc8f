import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CACHE_FOLDER } from "../world/cache.ts";
import type { CellResult } from "./run-cell.ts";
import { asksOf, type Cell, type State } from "./state.ts";

const FOLDER = join(CACHE_FOLDER, "matrix");

/** The name of a cell, on the command line's lines and in the cache. */
export function cellName(state: State, { pool, celery }: Cell): string {
  return `${state.id} ${pool} ${celery}`;
}

/**
 * The results so far, one file a cell. A result counts as long as what decides and the definition of the state are
 * the same.
 */
export class Results {
  readonly #sources: string;

  /** @param sources hash of what decides */
  constructor(sources: string) {
    this.#sources = sources;
  }

  /** undefined where there is none that counts. */
  read(state: State, cell: Cell): CellResult | undefined {
    const file = fileOf(state, cell);
    if (!existsSync(file)) return undefined;
    const { of, result } = JSON.parse(readFileSync(file, "utf8")) as { of: string; result: CellResult };
    return of === this.#key(state, cell) ? result : undefined;
  }

  async write(state: State, cell: Cell, result: CellResult): Promise<void> {
    await mkdir(FOLDER, { recursive: true });
    const file = fileOf(state, cell);
    await writeFile(`${file}.new`, JSON.stringify({ of: this.#key(state, cell), result }, null, 2));
    await rename(`${file}.new`, file);
  }

  #key(state: State, cell: Cell): string {
    const definition = [state.title, asksOf(state, cell), String(state.make), cell, this.#sources];
    return createHash("sha256").update(JSON.stringify(definition)).digest("hex");
  }
}

function fileOf(state: State, cell: Cell): string {
  return join(FOLDER, `${cellName(state, cell).replaceAll(" ", "--")}.json`);
}
