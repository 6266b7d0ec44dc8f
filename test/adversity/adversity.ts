// The whole run: makes the worlds, runs the cases of each kind, and returns the figures and the faults.
import { rmSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { CACHE_FOLDER } from "../world/cache.ts";
import { startCanaries } from "./canaries.ts";
import { diceOf } from "./dice.ts";
import { enduranceKinds } from "./endurances.ts";
import { fleetKinds } from "./fleets.ts";
import { killKinds } from "./kills.ts";
import type { Kind, Kinds, Result } from "./kind.ts";
import { networkKinds } from "./network.ts";
import { replayKinds } from "./replays.ts";
import { soakKinds } from "./soak.ts";

export interface Order {
  readonly executable: string;
  readonly seed: number;
  /** Null: all kinds. */
  readonly only: string | null;
  /** The number of cases of each kind; null: as many as it has. */
  readonly cases: number | null;
  /** The first case. With `cases` 1, it repeats a single case. */
  readonly first: number;
  readonly isShort: boolean;
  readonly tell: (line: string) => void;
}

/** A row of the table. */
export interface Figures {
  readonly kind: string;
  readonly cases: number;
  readonly faults: number;
  readonly worstOvershootMs: number;
  readonly peakMb: number;
}

/** This many of the same fault are written in full. The others are only counted. */
const WRITTEN = 3;

/** Most runs wait for something. */
const AT_ONCE = 3 * availableParallelism();

/** The folder where a case with a fault is kept. */
const KEPT = join(CACHE_FOLDER, "adversity");

export async function runAdversity(order: Order): Promise<readonly Figures[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-adversity-"));
  const clean = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  stack.defer(clean);
  // A copy, so that a build in the meantime does not change the tested program. Another user runs it too.
  await chmod(folder, 0o755);
  const executable = join(folder, "celery-probe");
  await copyFile(order.executable, executable);
  await mkdir(KEPT, { recursive: true });
  const canaries = await startCanaries(executable, stack);
  const kinds = {
    ...(await replayKinds(executable, stack)),
    ...networkKinds(executable, canaries),
    ...killKinds(executable, canaries),
    ...(await fleetKinds(executable, stack)),
    ...soakKinds(executable, canaries),
    ...enduranceKinds(executable, stack),
  };
  const table: Figures[] = [];
  for (const [name, kind] of chosen(kinds, order.only)) {
    table.push(await runKind(name, kind, order));
    order.tell(rowOf(table.at(-1)));
  }
  return table;
}

function chosen(kinds: Kinds, only: string | null): readonly [string, Kind][] {
  const found = Object.entries(kinds).filter(([name]) => only === null || name === only);
  if (found.length === 0)
    throw new Error(`no kind '${String(only)}': expected ${Object.keys(kinds).join(", ")}`);
  return found;
}

async function runKind(kind: string, { cases: [whole, short], alone, run, finish }: Kind, order: Order) {
  const { seed, first, tell } = order;
  const count = order.cases ?? (order.isShort ? short : whole);
  const figures = { kind, cases: count, faults: 0, worstOvershootMs: -Infinity, peakMb: 0 };
  const seen = new Map<string, number>();
  let next = first;
  const tellFault = async (fault: string, position: number, evidence: unknown) => {
    figures.faults += 1;
    const form = fault.replaceAll(/\d+/g, "N");
    seen.set(form, (seen.get(form) ?? 0) + 1);
    if ((seen.get(form) ?? 0) > WRITTEN) return;
    const file = join(KEPT, `${kind}-${seed}-${position}.json`);
    await writeFile(file, JSON.stringify({ kind, seed, case: position, fault, evidence }, null, 1));
    tell(
      `FAULT ${fault}; again: npm run test:adversity -- --seed ${seed} --only ${kind} --case ${position}; ${file}`,
    );
  };
  const turns = async (): Promise<void> => {
    while (next < first + count) {
      const position = next++;
      const result: Result = await run(diceOf(seed, kind, position), position);
      figures.worstOvershootMs = Math.max(figures.worstOvershootMs, result.overshootMs);
      figures.peakMb = Math.max(figures.peakMb, result.peakMb);
      for (const fault of result.faults) await tellFault(fault, position, result.evidence);
    }
  };
  await Promise.all(Array.from({ length: alone === true ? 1 : AT_ONCE }, turns));
  for (const fault of (await finish?.()) ?? []) await tellFault(fault, count, null);
  for (const [fault, times] of seen) if (times > WRITTEN) tell(`${kind}: ${times} times: ${fault}`);
  return figures;
}

/** A line of the table, or its head without a row. */
export function rowOf(row?: Figures): string {
  if (row === undefined)
    return "| kind | cases | faults | worst overshoot, ms | peak memory, MB |\n|---|--:|--:|--:|--:|";
  const { kind, cases, faults, worstOvershootMs, peakMb } = row;
  const overshoot = Number.isFinite(worstOvershootMs) ? String(Math.round(worstOvershootMs)) : "";
  return `| ${kind} | ${cases} | ${faults} | ${overshoot} | ${peakMb === 0 ? "" : String(Math.round(peakMb))} |`;
}
