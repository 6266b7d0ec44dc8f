import { DEFAULT_COMMAND } from "../cli/commands.ts";
import type { Taken } from "./commands-taken.ts";

/** For fish 3. */
export function fishScript(commands: readonly Taken[]): string {
  const others = commands.map(({ name }) => name).filter((name) => name !== DEFAULT_COMMAND);
  const without = `not __fish_seen_subcommand_from ${others.join(" ")}`;
  const line = (condition: string, ...words: readonly string[]) =>
    `complete -c celery-probe -n ${quoted(condition)} ${words.join(" ")}`;
  return [
    "# fish completion for celery-probe: celery-probe completion fish | source",
    "complete -c celery-probe -f",
    ...commands.map(({ name, summary }) =>
      line(
        `${without}; and not __fish_seen_subcommand_from ${DEFAULT_COMMAND}`,
        "-a",
        name,
        "-d",
        quoted(summary),
      ),
    ),
    ...commands.flatMap(({ name, options, words }) => {
      const here = name === DEFAULT_COMMAND ? without : `__fish_seen_subcommand_from ${name}`;
      const first =
        words === "files"
          ? [line(here, "-F")]
          : words.length > 0
            ? [line(here, "-a", quoted(words.join(" ")))]
            : [];
      return [
        ...first,
        ...options.map(({ flag, summary, value }) => {
          const takes =
            value === "none"
              ? []
              : value === "files"
                ? ["-r", "-F"]
                : value === "any"
                  ? ["-x"]
                  : ["-x", "-a", quoted(value.join(" "))];
          return line(here, "-l", flag.slice(2), ...takes, "-d", quoted(summary));
        }),
      ];
    }),
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
