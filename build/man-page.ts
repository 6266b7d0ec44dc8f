import { command, COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "../src/cli/commands.ts";
import { takenBy } from "../src/cli/command-options.ts";
import { type Taken, TAKEN_BY_CHECK } from "../src/cli/parse.ts";
import { METHODS, methodFacts } from "../src/inspect/methods.ts";

/** celery-probe(1), made from the tables that the parser reads, in the macros of man(7). */
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
      "Speaks the control protocol of Celery's workers on a Redis broker by itself: no Python starts, no application is imported. Without a command it is a health check, which prints one line and ends with 0 or 1.",
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
    text("Each is also a variable of the environment; the flag wins."),
    ...COMMAND_NAMES.flatMap(commandOptions),
    ".SS All commands",
    ".TP",
    "\\fB\\-h\\fR, \\fB\\-\\-help\\fR",
    "print the options of the command",
    ".TP",
    "\\fB\\-\\-version\\fR",
    "print the version",
    ".SH EXIT STATUS",
    "0: healthy, or done; 1: anything else.",
    ".SH SEE ALSO",
    ".BR celery (1)",
    "",
  ].join("\n");
}

function commandOptions(name: CommandName): readonly string[] {
  const { options, variableOf: nameOf }: Taken = name === DEFAULT_COMMAND ? TAKEN_BY_CHECK : takenBy(name);
  const entries = Object.entries(options);
  if (entries.length === 0) return [];
  return [
    `.SS ${text(name)}`,
    ...entries.flatMap(([option, { argument, summary, defaultText }]) => [
      ".TP",
      `\\fB\\-\\-${text(option)}\\fR${argument === null ? "" : ` \\fI${text(argument)}\\fR`}`,
      `${text(summary)}${defaultText === undefined ? "" : text(` (default: ${defaultText})`)}; \\fB${text(nameOf(option))}\\fR`,
    ]),
  ];
}

/** Text that roff prints as it is: backslashes, hyphens that are minus signs, and lines that begin like a request. */
function text(plain: string): string {
  return plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replace(/^([.'])/, "\\&$1");
}
