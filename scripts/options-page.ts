import type { Taken } from "../src/cli/parse.ts";
import { COMMAND_OPTIONS, type OtherCommand, takenBy } from "../src/cli/command-options.ts";
import { COMMANDS } from "../src/cli/commands.ts";
import { type Option, OPTIONS, variableOf } from "../src/cli/options.ts";

/** docs/options.md, made from the tables of options. */
export function optionsPage(): string {
  const others = (Object.keys(COMMAND_OPTIONS) as readonly OtherCommand[]).filter(
    (name) => Object.keys(takenBy(name).options).length > 0,
  );
  return [
    "# Options",
    "",
    "Each option is a flag and a variable of the environment; the flag wins. An empty variable is an unset one. A value",
    "that cannot be read ends the run with exit code 1 and one sentence on stderr. Durations carry a unit: `500ms`, `2s`,",
    "`1m`, `1h`. Switches take `=true` and `=false` too. `--help` and `--version` are flags only and win over everything.",
    "",
    `What stands first are the options of the check; those of ${others.map((name) => `[${name}](#${name})`).join(" and ")} stand at the end.`,
    "",
    "This page is made from the tables in `src/cli/` by `npm run docs`.",
    "",
    ...Object.entries(OPTIONS).map(([name, one]) => section("##", name, one, variableOf(name))),
    ...others.flatMap(commandSections),
  ].join("\n");
}

function commandSections(command: OtherCommand): readonly string[] {
  const { options, variableOf: nameOf }: Taken = takenBy(command);
  const { own, shared } = COMMAND_OPTIONS[command];
  return [
    `## \`${command}\``,
    "",
    `${capital(COMMANDS[command].summary)}. Of the check's options it takes ` +
      `${shared.map((name) => `\`--${name}\``).join(", ")}; its own are these.`,
    "",
    ...Object.keys(own).flatMap((name) => {
      const one = options[name];
      return one === undefined ? [] : [section("###", name, one, nameOf(name))];
    }),
  ];
}

function section(level: string, name: string, one: Option<unknown>, variable: string): string {
  const { argument, summary, details, defaultText, repeats } = one;
  const flag = argument === null ? `--${name}` : `--${name} ${argument}`;
  return [
    `${level} \`${flag}\``,
    "",
    `${capital(summary)}.`,
    ...(details === undefined ? [] : ["", details]),
    "",
    `Variable \`${variable}\`${argument === null ? " (`true` or `false`)" : ""}` +
      `${defaultText === undefined ? "" : `, default \`${defaultText}\``}${repeats ? ", may be repeated" : ""}.`,
    "",
  ].join("\n");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
