import { DEFAULT_COMMAND } from "../cli/commands.ts";
import { commandOf, parse, TAKEN_BY_CHECK } from "../cli/parse.ts";
import { startDeadline } from "../deadline.ts";
import { withProcesses } from "../health/check.ts";
import { prepareExamination } from "../health/examination.ts";
import { undecided } from "../health/judgement.ts";
import { checkWishes, planByName } from "../health/plan.ts";
import type { Host } from "../host.ts";
import { NOTHING, page } from "../render/gate.ts";
import { verdictEnding } from "./check.ts";
import type { Ending } from "./command.ts";

/**
 * What is said when an error of ours has ended a run. A check still gives a verdict by what the processes show, in
 * the requested form and with the exit code.
 */
export async function crashed(error: unknown, host: Host): Promise<Ending> {
  const detail = detailOf(error);
  return (await verdictOn(detail, host).catch(() => null)) ?? plainEnding(detail);
}

/** For commands that give no verdict, and where there is no time or no way left for more. */
function plainEnding(detail: string): Ending {
  const stderr = page([`celery-probe: internal error, please report it: ${detail}`]);
  return { stdout: NOTHING, stderr, exitCode: 1 };
}

/** null: the command is another than the check, or what it was told cannot be read. */
async function verdictOn(detail: string, host: Host): Promise<Ending | null> {
  if (commandOf(host.argv) !== DEFAULT_COMMAND) return null;
  const invocation = parse(host.argv, host.env, TAKEN_BY_CHECK);
  if (!invocation.ok || invocation.value.kind !== "run") return null;
  const { config } = invocation.value;
  const wishes = checkWishes(config, host);
  const plan = wishes.ok ? planByName(wishes.value, config, host) : wishes;
  if (!plan.ok) return null;
  const asking = { kind: "crashed", detail } as const;
  const examination = prepareExamination(
    plan.value,
    host,
    startDeadline(plan.value.deadline, host.now),
    () => null,
  );
  const evidence = await withProcesses(
    {
      asking,
      nodes: [],
      ...{ brokerUpS: null, masterForS: null, brokerName: null, unacked: null },
      ...{ otherExchange: null, work: null, stateFileProblem: null, notTaken: null },
    },
    examination,
  );
  examination.end();
  return verdictEnding(invocation.value, host, plan.value, evidence, undecided(asking));
}

/** Longer messages quote what they are about. */
const LONGEST = 200;

/** The error and where it was thrown, in one line. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, LONGEST);
  const thrown = (error.stack ?? "")
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line.startsWith("at "));
  const words = `${error.name}: ${error.message}`.slice(0, LONGEST);
  return thrown === undefined ? words : `${words} (${thrown.slice(0, LONGEST)})`;
}
