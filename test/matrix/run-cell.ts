import { celeryInspectPing } from "../world/shell-line.ts";
import { type Ask, asksOf, type Cell, type Situation, type State, WITHIN_DEADLINE_MS } from "./state.ts";
import { World } from "./world.ts";

/** What the probe said to one question. */
export interface Answer {
  /** The line's first two words, e.g. `healthy: busy`; of several runs the last. */
  readonly verdict: string;
  /** The whole line, for people. */
  readonly line: string;
  readonly exitCode: number | null;
  /** Of several runs the longest. */
  readonly ms: number;
  /** Why it is wrong; null where it is right. */
  readonly problem: string | null;
}

export interface CellResult {
  readonly answers: readonly Answer[];
  /** How the state was proven, in words. */
  readonly proof: string;
  /** Exit code of `celery inspect ping -d`; null: killed after 60 s; undefined: not asked. */
  readonly shellLine?: number | null;
  /** Its last words. */
  readonly shellWords?: string;
  /** Why the state could not be made or kept, or that the worker was harmed; null where all went well. */
  readonly failure: string | null;
}

/** That the state was there, every answer was right, and the worker is as well as it can be. */
export function isRight({ failure, answers }: CellResult): boolean {
  return failure === null && answers.every(({ problem }) => problem === null);
}

/** Makes the state in a world of its own, asks, and ends the world. Never throws. */
export async function runCell(
  state: State,
  cell: Cell,
  executable: string,
  { shellLine }: { readonly shellLine: boolean },
): Promise<CellResult> {
  const answers: Answer[] = [];
  let proof = "";
  let shell: Pick<CellResult, "shellLine" | "shellWords"> = {};
  try {
    await using world = await World.start(cell, { napS: shellLine ? 16 : 9 });
    const situation = await state.make(world);
    proof = await situation.prove();
    for (const ask of asksOf(state, cell)) answers.push(await putTo(executable, world, situation, ask));
    if (shellLine) {
      const { node, brokerUrl = world.brokerUrl } = situation;
      const venv = await world.venv();
      const { exitCode, stdout, stderr } = await celeryInspectPing({ venv, brokerUrl, node });
      const words = `${stdout}\n${stderr}`.trim().split("\n").at(-1) ?? "";
      shell = { shellLine: exitCode ?? null, shellWords: words };
    }
    await situation.prove();
    await situation.after?.();
    return result(null);
  } catch (error) {
    return result(error instanceof Error ? error.message : String(error));
  }

  function result(failure: string | null): CellResult {
    return { answers, proof, failure, ...shell };
  }
}

async function putTo(executable: string, world: World, situation: Situation, ask: Ask): Promise<Answer> {
  const env = situation.env ?? { CELERY_BROKER_URL: world.brokerUrl };
  const args = [...(situation.args ?? []), ...(ask.args ?? [])];
  let longestMs = 0;
  for (let round = 1; ; round++) {
    const run = await situation.container.run(executable, args, env);
    longestMs = Math.max(longestMs, run.ms);
    const line = run.stdout === "" ? run.stderr.trim() : run.stdout;
    const problem = wrong(ask, situation, run, line);
    const isLast = round === (ask.times ?? 1);
    if (problem === null && !isLast) continue;
    return {
      verdict: /^\w+: [\w-]+/.exec(line)?.[0] ?? "none",
      line,
      exitCode: run.exitCode ?? null,
      ms: Math.round(longestMs),
      problem: problem === null ? null : `${isLast ? "" : `run ${round}: `}${problem}`,
    };
  }
}

function wrong(
  ask: Ask,
  situation: Situation,
  { exitCode, ms, stderr }: { exitCode: number | undefined; ms: number; stderr: string },
  line: string,
): string | null {
  const right = [ask.expect, ...(ask.or === undefined ? [] : [ask.or])];
  if (!right.some((words) => line.startsWith(`${words}: `))) return `expected ${right.join(" or ")}`;
  const exit = ask.exit ?? (ask.expect.startsWith("healthy:") ? 0 : 1);
  if (exitCode !== exit) return `expected exit ${exit}, got ${exitCode}`;
  if (stderr !== "") return `expected nothing on stderr, got ${stderr.slice(0, 200)}`;
  if (situation.says !== undefined && !situation.says.test(line)) return `expected ${situation.says} in it`;
  const limit = ask.withinMs ?? WITHIN_DEADLINE_MS;
  return ms > limit ? `expected an end within ${limit} ms, took ${Math.round(ms)}` : null;
}
