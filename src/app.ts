import { type CommandName, DEFAULT_COMMAND } from "./cli/commands.ts";
import { commandOf, parse } from "./cli/parse.ts";
import { check } from "./commands/check.ts";
import { type Ending, failed, misused, type Run, type Told } from "./commands/command.ts";
import type { Config } from "./cli/options.ts";
import type { Host } from "./host.ts";
import { NOTHING, ours } from "./render/gate.ts";

/** What each command does. All but the check are loaded when they are asked for. */
const RUN: { readonly [C in CommandName]: Run<Config> } = {
  check,
  inspect: other(async () => (await import("./commands/inspect.ts")).inspect),
  doctor: other(async () => (await import("./commands/doctor.ts")).doctor),
  watch: other(async () => (await import("./commands/watch.ts")).watch),
  beat: other(async () => (await import("./commands/beat.ts")).beat),
  report: other(async () => (await import("./commands/report.ts")).report),
  install: other(async () => (await import("./commands/install.ts")).install),
  completion: other(async () => (await import("./commands/completion.ts")).completion),
  help: other(async () => (await import("./commands/help.ts")).help),
};

/** The parser has read the options of the command that is run: its configuration is that of its table. */
function other<C>(load: () => Promise<Run<C>>): Run<Config> {
  return async (told, host) => (await load())(told as unknown as Told<C>, host);
}

/**
 * The story of a run: parse → plan → connect → ask → judge → render.
 *
 * What only some runs need is imported where it is needed (`import()`): a healthy check loads none of it, which
 * test/system/start-up.test.ts holds.
 */
export async function run(host: Host): Promise<Ending> {
  const command = commandOf(host.argv);
  const taken =
    command === DEFAULT_COMMAND ? undefined : (await import("./cli/command-options.ts")).takenBy(command);
  const invocation = parse(host.argv, host.env, taken);
  if (!invocation.ok) return misused(invocation.problem);
  switch (invocation.value.kind) {
    case "help": {
      const { helpText } = await import("./cli/help.ts");
      return { stdout: ours(helpText(host.version, invocation.value.command)), stderr: NOTHING, exitCode: 0 };
    }
    case "version":
      return { stdout: ours(versionText(host, invocation.value.verbose)), stderr: NOTHING, exitCode: 0 };
    case "run":
      return Promise.race([
        RUN[invocation.value.command](
          { ...invocation.value, unknownVariables: await unknown(invocation.value.unknownVariables) },
          host,
        ),
        interruption(host),
      ]);
    default:
      return invocation.value satisfies never;
  }
}

/** A command that a signal ends has this long, in milliseconds, to say so in its own way: a verdict, a terminal's last line. */
const LAST_WORDS_MS = 50;

/** How every other command ends by a signal, whatever it waits for: what it leaves on the broker expires. */
async function interruption({ interrupted, pause }: Host): Promise<Ending> {
  const signal = await interrupted;
  await pause(LAST_WORDS_MS);
  return failed(`ended by ${signal}`);
}

/** Those that no other command reads either. */
async function unknown(variables: readonly string[]): Promise<readonly string[]> {
  if (variables.length === 0) return variables;
  const known = (await import("./cli/command-options.ts")).allVariables();
  return variables.filter((name) => !known.has(name));
}

function versionText({ version, runtime }: Host, verbose: boolean): string {
  return `celery-probe ${version}\n${verbose ? `${runtime}\n` : ""}`;
}
