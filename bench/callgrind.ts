import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { installMissing } from "../test/system/debian.ts";
import type { Program } from "../test/world/contained-program.ts";
import { type GroupOptions, ProcessGroup } from "../test/world/process-group.ts";

/** Callgrind runs a program about fifty times slower. A Python application takes a minute. */
const LONGEST_MS = 300_000;

/** The line with the sum in a callgrind file: `totals:`, or `summary:` if callgrind dumped only once. */
const TOTAL = /^(?:totals|summary): (\d+)/m;

/** Where programs are started: beside us, or in a container. */
interface Place {
  start(options: GroupOptions): Promise<Program & { readonly folder: string }>;
}

/**
 * Instructions that a command and all its children execute in user mode, counted by valgrind's callgrind. Unlike
 * seconds, they do not depend on the other load of the machine.
 *
 * The command must not have a deadline that a fifty times slower machine would miss.
 *
 * @param env the command's whole environment
 * @throws Error with the command's output if it does not end with exit code 0 within five minutes
 */
export async function instructions(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  place: Place = ProcessGroup,
): Promise<number> {
  await installMissing({ valgrind: "valgrind" });
  const group = await place.start({
    what: "callgrind",
    command: "valgrind",
    args: (folder) => [
      ...["--tool=callgrind", "--quiet", "--trace-children=yes"],
      `--callgrind-out-file=${join(folder, "out.%p")}`,
      "--",
      ...[command, ...args],
    ],
    env: () => env,
  });
  const late = new AbortController();
  try {
    const ending = await Promise.race([group.ended, pause(LONGEST_MS, null, { signal: late.signal })]);
    if (ending === null) throw group.problem(`'${command}' has not ended after ${LONGEST_MS / 1_000} s`);
    if (ending.code !== 0) throw group.problem(`'${command}' failed under callgrind`);
    return await sumOfTotals(group.folder);
  } finally {
    late.abort();
    await group.stop(0);
  }
}

async function sumOfTotals(folder: string): Promise<number> {
  let sum = 0;
  for (const file of await readdir(folder)) {
    if (file.startsWith("out.")) sum += totalOf(await readFile(join(folder, file), "utf8"));
  }
  if (sum === 0) throw new Error("callgrind has counted nothing");
  return sum;
}

/** The number of instructions in one file of callgrind. @throws Error if the file has no sum */
export function totalOf(file: string): number {
  const total = TOTAL.exec(file)?.[1];
  if (total === undefined) throw new Error(`no total in a file of callgrind's: ${file.slice(0, 200)}`);
  return Number(total);
}
