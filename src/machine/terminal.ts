import type { Terminal } from "./parts.ts";

const TAKE = "\x1b[?1049h\x1b[?25l";
const RESTORE = "\x1b[?25h\x1b[?1049l";

/** Signals that end a process and that no other code here handles (signal(7)). SIGKILL and faults cannot be handled. */
const ENDING = [
  "SIGQUIT",
  "SIGABRT",
  "SIGALRM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGVTALRM",
  "SIGXCPU",
  "SIGXFSZ",
] as const;

/**
 * The terminal that stdout is connected to; null: it is not a terminal, or a dumb one (TERM) without colours and cursor
 * movement.
 */
export function terminal(): Terminal | null {
  const { stdin, stdout, env } = process;
  if (!stdout.isTTY || env["TERM"] === "dumb") return null;
  let isTaken = false;
  let isRaw = false;
  const take = () => {
    isTaken = true;
    if (isRaw) stdin.setRawMode(true);
    stdout.write(TAKE);
  };
  const restore = () => {
    if (isRaw) stdin.setRawMode(false);
    if (isTaken) stdout.write(RESTORE);
    isTaken = false;
  };
  process.once("exit", restore);
  const endBy = (signal: NodeJS.Signals) => {
    restore();
    // Our handler is removed, so the signal has its default effect.
    process.kill(process.pid, signal);
  };
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize(listener) {
      stdout.on("resize", listener);
    },
    onKey(listener) {
      if (!stdin.isTTY) return;
      isRaw = true;
      stdin.on("data", (bytes) => {
        listener(bytes.toString("utf8"));
      });
    },
    takeScreen() {
      for (const signal of ENDING) process.once(signal, endBy);
      take();
    },
    restore,
    suspend() {
      restore();
      // The shell takes over, and gives the terminal back before this process continues. Without a shell, as under
      // docker exec, the kernel ignores this signal. It would obey SIGSTOP.
      process.kill(process.pid, "SIGTSTP");
      take();
    },
  };
}
