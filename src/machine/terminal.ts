import { isatty } from "node:tty";

/** Whether stdout is a terminal. */
export function isTerminal(): boolean {
  return isatty(1);
}
