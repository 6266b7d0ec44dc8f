import { OPTION_NAMES, option, variableOf } from "../src/cli/options.ts";

/** docs/options.md, made from the table of options. */
export function optionsPage(): string {
  const sections = OPTION_NAMES.map((name) => {
    const { argument, summary, details, defaultText, repeats } = option(name);
    const flag = argument === null ? `--${name}` : `--${name} ${argument}`;
    return [
      `## \`${flag}\``,
      "",
      `${capital(summary)}.`,
      ...(details === undefined ? [] : ["", details]),
      "",
      `Variable \`${variableOf(name)}\`${argument === null ? " (`true` or `false`)" : ""}` +
        `${defaultText === undefined ? "" : `, default \`${defaultText}\``}${repeats ? ", may be repeated" : ""}.`,
      "",
    ].join("\n");
  });
  return [
    "# Options",
    "",
    "Each option is a flag and a variable of the environment; the flag wins. An empty variable is an unset one. A value",
    "that cannot be read ends the run with exit code 1 and one sentence on stderr. Durations carry a unit: `500ms`, `2s`,",
    "`1m`, `1h`. Switches take `=true` and `=false` too. `--help` and `--version` are flags only and win over everything.",
    "",
    "This page is made from the table in `src/cli/options.ts` by `npm run docs`.",
    "",
    ...sections,
  ].join("\n");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
