import { takenByAny } from "../src/cli/command-options.ts";
import { command, COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "../src/cli/commands.ts";
import { GROUPS } from "../src/cli/groups.ts";
import { GENERAL, groupsOf, summaryOf, told } from "../src/cli/help.ts";
import type { Option } from "../src/cli/option.ts";
import { METHODS, methodFacts } from "../src/inspect/methods.ts";

/** celery-probe(1), made from the parser's tables, in the macros of man(7). */
export function manPage(version: string): string {
  return [
    `.TH CELERY\\-PROBE 1 "" "celery\\-probe ${text(version)}" "User Commands"`,
    ".SH NAME",
    `celery\\-probe \\- ${text(command(DEFAULT_COMMAND).summary)}`,
    ".SH SYNOPSIS",
    ".B celery\\-probe",
    ".RI [ COMMAND ]",
    ".RI [ OPTION ]...",
    ".SH DESCRIPTION",
    text(
      "Speaks the control protocol of Celery's workers on a Redis broker. No Python starts, and no application is imported. Without a command it is a health check: it prints one line and ends with 0 or 1.",
    ),
    ".SH COMMANDS",
    ...COMMAND_NAMES.flatMap((name) => {
      const { summary, words = "" } = command(name);
      return [
        ".TP",
        `.B ${text([name, words].join(" ").trim())}`,
        text(name === DEFAULT_COMMAND ? `${summary} (default)` : summary),
      ];
    }),
    ".SH METHODS OF INSPECT",
    ...METHODS.flatMap((method) => {
      const { summary, words = "" } = methodFacts(method);
      return [".TP", `.B ${text(`${method} ${words}`.trim())}`, text(summary)];
    }),
    ".SH OPTIONS",
    text("Each option is also a variable of the environment. The flag wins."),
    ...COMMAND_NAMES.flatMap(commandOptions),
    ".SS All commands",
    ...GENERAL.flatMap(([flag, summary]) => [".TP", `.B ${text(flag)}`, text(summary)]),
    ".SH EXIT STATUS",
    text("1: unhealthy, unknown, a wrong option, or an error. 0 means:"),
    ...COMMAND_NAMES.flatMap((name) => [".TP", `.B ${text(name)}`, text(told(name).success)]),
    ".SH EXAMPLES",
    ...COMMAND_NAMES.flatMap((name) =>
      told(name).examples.flatMap(([line, purpose]) => [".TP", `.B ${text(line)}`, text(purpose)]),
    ),
    ".SH SEE ALSO",
    ".BR celery (1)",
    "",
  ].join("\n");
}

function commandOptions(name: CommandName): readonly string[] {
  const { options, variableOf } = takenByAny(name);
  return groupsOf(options).flatMap(([group, entries]) => [
    `.SS ${text(`${name}: ${GROUPS[group]}`)}`,
    ...entries.flatMap(([option, one]) => optionEntry(option, one, variableOf(option))),
  ]);
}

function optionEntry(name: string, option: Option<unknown>, variable: string): readonly string[] {
  const { argument } = option;
  return [
    ".TP",
    `\\fB\\-\\-${text(name)}\\fR${argument === null ? "" : ` \\fI${text(argument)}\\fR`}`,
    `${text(summaryOf(option))}; \\fB${text(variable)}\\fR`,
  ];
}

/**
 * Escapes text so that roff prints it unchanged: backslashes, hyphens that are minus signs, and lines that begin like a
 * request.
 */
function text(plain: string): string {
  return plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("~", "\\(ti")
    .replace(/^([.'])/, "\\&$1");
}
