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
 * The output after an internal error. A check still gives a verdict from what the processes show, in the requested
 * format and with its exit code.
 */
export async function crashed(error: unknown, host: Host): Promise<Ending> {
  const detail = detailOf(error);
  return (await verdictOn(detail, host).catch(() => null)) ?? plainEnding(detail);
}

/** For commands without a verdict, or if making one fails. */
function plainEnding(detail: string): Ending {
  const stderr = page([`celery-probe: internal error, please report it: ${detail}`]);
  return { stdout: NOTHING, stderr, exitCode: 1 };
}

/** Null: the command is not the check, or its command line cannot be read. */
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

/** In characters. A longer message is cut, because it quotes other text. */
const LONGEST = 200;

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, LONGEST);
  const thrown = (error.stack ?? "")
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line.startsWith("at "));
  const words = `${error.name}: ${error.message}`.slice(0, LONGEST);
  return thrown === undefined ? words : `${words} (${thrown.slice(0, LONGEST)})`;
}
