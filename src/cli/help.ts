import { DEFAULT_BROKER_URL } from "../broker/url.ts";
import { COMMANDS } from "./commands.ts";
import {
  BROKER_VARIABLES,
  OPTION_NAMES,
  option,
  PLATFORM_VARIABLE,
  READ_VARIABLE,
  VARIABLE_PREFIX,
} from "./options.ts";

const COLUMN = 28;

/** The text of `--help`, made from the tables. */
export function helpText(version: string): string {
  const options = OPTION_NAMES.map((name) => {
    const { argument, summary, defaultText } = option(name);
    const flag = `--${name}${argument === null ? "" : ` ${argument}`}`;
    return entry(flag, summary + (defaultText === undefined ? "" : ` (default: ${defaultText})`));
  });
  return [
    `celery-probe ${version}: is this Celery worker alive?`,
    "",
    "usage: celery-probe [COMMAND] [OPTION]…",
    "",
    "commands:",
    ...Object.entries(COMMANDS).map(([name, { summary }], position) =>
      entry(name, position === 0 ? `${summary} (default)` : summary),
    ),
    "",
    "options:",
    ...options,
    entry("-h, --help", "print this"),
    entry("--version", "print the version; with --verbose also what it runs on"),
    "",
    `Without --broker and --broker-env the broker is that of the worker in sight: ${READ_VARIABLE}, its -b,`,
    `or the first that is set of ${BROKER_VARIABLES.join(", ")}; then the same here;`,
    `then ${PLATFORM_VARIABLE}; then ${DEFAULT_BROKER_URL}.`,
    `Each option is also a variable of the environment: --connect-timeout is ${VARIABLE_PREFIX}CONNECT_TIMEOUT.`,
    "Exit code: 0 healthy, 1 anything else.",
    "",
  ].join("\n");
}

function entry(term: string, words: string): string {
  return `  ${term.padEnd(COLUMN)}${term.length >= COLUMN ? " " : ""}${words}`;
}
