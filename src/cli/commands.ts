/** The commands. What each does stands in `app.ts`; the first is meant where none is named. */
export const COMMANDS = {
  check: { summary: "say whether a Celery worker is alive; exit 0 or 1" },
} as const;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export const DEFAULT_COMMAND: CommandName = "check";
