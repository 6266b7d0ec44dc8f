/** A command, and the words that may follow it. */
interface Command {
  /** One line for the help. */
  readonly summary: string;
  /** The words that may follow. Absent: it takes only options. */
  readonly words?: string;
  /** The smallest and the largest number of words. */
  readonly least: number;
  readonly most: number;
}

const NO_WORDS = { least: 0, most: 0 } as const;

/** The commands. `app.ts` runs them. The first is the default. */
export const COMMANDS = {
  check: { summary: "say whether a Celery worker is alive; exit 0 or 1", ...NO_WORDS },
  inspect: {
    summary: "ask workers what celery inspect asks them, without Python",
    words: "METHOD [WORD]…",
    // Without a method the command lists all methods.
    least: 0,
    most: 1_000,
  },
  doctor: { summary: "say what is wrong with worker and broker, and what to do first", ...NO_WORDS },
  watch: { summary: "show every worker and queue of the broker, refreshed", ...NO_WORDS },
  serve: { summary: "watch the fleet and answer httpGet probes, Prometheus and a browser", ...NO_WORDS },
  beat: { summary: "say whether the beat of this container is alive; exit 0 or 1", ...NO_WORDS },
  report: {
    summary: "write everything a helper will ask for, without passwords",
    words: "[FILE]",
    least: 0,
    most: 1,
  },
  install: { summary: "copy this executable to a file or into a folder", words: "PATH", least: 1, most: 1 },
  completion: {
    summary: "print the completions for a shell: bash, zsh or fish",
    words: "SHELL",
    least: 1,
    most: 1,
  },
  help: { summary: "print what a command does and its options", words: "[COMMAND]", least: 0, most: 1 },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export const DEFAULT_COMMAND = "check" satisfies CommandName;

export function command(name: CommandName): Command {
  return COMMANDS[name];
}
