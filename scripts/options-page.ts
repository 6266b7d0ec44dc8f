import { COMMAND_OPTIONS, type OtherCommand, takenBy } from "../src/cli/command-options.ts";
import { COMMANDS } from "../src/cli/commands.ts";
import { GROUPS } from "../src/cli/groups.ts";
import { groupsOf } from "../src/cli/help.ts";
import type { Option } from "../src/cli/option.ts";
import { OPTIONS, variableOf } from "../src/cli/options.ts";
import type { Taken } from "../src/cli/parse.ts";

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
    `The options of the check come first. Then come the options of ${others.map((name) => `[${name}](#${name})`).join(", ")}.`,
    "",
    "This page is made from the tables in `src/cli/` by `npm run docs`.",
    "",
    ...groupsOf(OPTIONS).flatMap(([group, entries]) => [
      `## ${GROUPS[group]}`,
      "",
      ...entries.map(([name, one]) => section(name, one, variableOf(name))),
    ]),
    ...others.flatMap(commandSections),
  ].join("\n");
}

/** Its own options, and the options of the check that have another text here. */
function commandSections(command: OtherCommand): readonly string[] {
  const { options, variableOf: nameOf }: Taken = takenBy(command);
  const isAsInCheck = (name: string) => Object.hasOwn(OPTIONS, name) && isSame(options[name], name);
  const names = Object.keys(options);
  const shared = names.filter(isAsInCheck);
  return [
    `## \`${command}\``,
    "",
    `${capital(COMMANDS[command].summary)}. These options are as for the check: ` +
      `${shared.map((name) => `\`--${name}\``).join(", ")}. These are its own, or mean something else here:`,
    "",
    ...groupsOf(options).flatMap(([, entries]) =>
      entries.flatMap(([name, one]) => (isAsInCheck(name) ? [] : [section(name, one, nameOf(name))])),
    ),
  ];
}

function isSame(one: Option<unknown> | undefined, name: string): boolean {
  const { [name]: other }: Readonly<Record<string, Option<unknown>>> = OPTIONS;
  const words = ({ summary, details, otherwise, defaultText }: Option<unknown>) =>
    [summary, details, otherwise, defaultText].join("\n");
  return one !== undefined && other !== undefined && words(one) === words(other);
}

function section(name: string, one: Option<unknown>, variable: string): string {
  const { argument, summary, details, defaultText, otherwise, repeats } = one;
  const flag = argument === null ? `--${name}` : `--${name} ${argument}`;
  const standard = defaultText === undefined ? otherwise : `\`${defaultText}\``;
  return [
    `### \`${flag}\``,
    "",
    `${capital(summary)}.${standard === undefined ? "" : ` Default: ${standard}.`}`,
    ...(details === undefined ? [] : ["", details]),
    "",
    `Variable \`${variable}\`${argument === null ? " (`true` or `false`)" : ""}${repeats ? ", may be repeated" : ""}.`,
    "",
  ].join("\n");
}

/** The name of a setting, or of one of its values, stays as it is. */
function capital(text: string): string {
  return /^\S*[_:]/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
