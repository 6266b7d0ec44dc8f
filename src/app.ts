import type { CommandConfig, OtherCommand } from "./cli/command-options.ts";
import { DEFAULT_COMMAND } from "./cli/commands.ts";
import type { OptionTable } from "./cli/option.ts";
import type { ConfigOf } from "./cli/options.ts";
import { commandOf, parse, type Taken, TAKEN_BY_CHECK } from "./cli/parse.ts";
import { check } from "./commands/check.ts";
import { type Ending, failed, misused, type Run } from "./commands/command.ts";
import type { Host } from "./host.ts";
import { NOTHING, ours } from "./render/gate.ts";

/** What each command except the check does. */
const OTHERS: { readonly [C in OtherCommand]: (host: Host) => Promise<Ending> } = {
  inspect: other("inspect", async () => (await import("./commands/inspect.ts")).inspect),
  doctor: other("doctor", async () => (await import("./commands/doctor.ts")).doctor),
  watch: other("watch", async () => (await import("./commands/watch.ts")).watch),
  serve: other("serve", async () => (await import("./commands/serve.ts")).serve),
  beat: other("beat", async () => (await import("./commands/beat.ts")).beat),
  report: other("report", async () => (await import("./commands/report.ts")).report),
  install: other("install", async () => (await import("./commands/install.ts")).install),
  completion: other("completion", async () => (await import("./commands/completion.ts")).completion),
  help: other("help", async () => (await import("./commands/help.ts")).help),
};

/** A command and the table of its options. Both are loaded only when the command is used. */
function other<C extends OtherCommand>(
  command: C,
  load: () => Promise<Run<CommandConfig<C>>>,
): (host: Host) => Promise<Ending> {
  return async (host) => {
    const { takenBy } = await import("./cli/command-options.ts");
    return runAs(host, takenBy(command), load);
  };
}

/**
 * The steps of a run: parse → discover → plan → connect → ask → judge → render.
 *
 * Code that only some runs need is imported in place (`import()`). A healthy check loads none of it;
 * test/system/start-up.test.ts checks that.
 */
export async function run(host: Host): Promise<Ending> {
  const command = commandOf(host.argv);
  return command === DEFAULT_COMMAND
    ? runAs(host, TAKEN_BY_CHECK, () => Promise.resolve(check))
    : OTHERS[command](host);
}

async function runAs<T extends OptionTable>(
  host: Host,
  taken: Taken<T>,
  load: () => Promise<Run<ConfigOf<T>>>,
): Promise<Ending> {
  const invocation = parse(host.argv, host.env, taken);
  if (!invocation.ok) {
    const { problem } = invocation;
    return problem.kind === "usage"
      ? misused(problem)
      : failed((await import("./cli/stray.ts")).sentenceOf(problem));
  }
  const { value } = invocation;
  switch (value.kind) {
    case "help": {
      const { helpText } = await import("./cli/help.ts");
      return { stdout: ours(helpText(host.version, value.command)), stderr: NOTHING, exitCode: 0 };
    }
    case "version":
      return { stdout: ours(versionText(host, value.verbose)), stderr: NOTHING, exitCode: 0 };
    case "run": {
      const told = { ...value, unknownVariables: await unknown(value.unknownVariables) };
      return Promise.race([(await load())(told, host), interruption(host)]);
    }
    default:
      return value satisfies never;
  }
}

/**
 * If a signal ends a command, the command has this long to print its own last words: a verdict, or a terminal's last
 * line. In milliseconds.
 */
const LAST_WORDS_MS = 50;

/** How a signal ends every other command, whatever it waits for. What the command leaves on the broker expires. */
async function interruption({ interrupted, pause }: Host): Promise<Ending> {
  const signal = await interrupted;
  await pause(LAST_WORDS_MS);
  return failed(`ended by ${signal}`);
}

/** Variables that other commands do not read either. */
async function unknown(variables: readonly string[]): Promise<readonly string[]> {
  if (variables.length === 0) return variables;
  const known = (await import("./cli/command-options.ts")).allVariables();
  return variables.filter((name) => !known.has(name));
}

function versionText({ version, runtime }: Host, verbose: boolean): string {
  return `celery-probe ${version}\n${verbose ? `${runtime}\n` : ""}`;
}
