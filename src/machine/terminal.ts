import type { Terminal } from "./parts.ts";

/** The terminal that stdout is; null: it is none. */
export function terminal(): Terminal | null {
  const { stdin, stdout } = process;
  if (!stdout.isTTY) return null;
  let isTaken = false;
  const restore = () => {
    if (stdin.isTTY) stdin.setRawMode(false);
    if (isTaken) stdout.write("\x1b[?25h\x1b[?1049l");
    isTaken = false;
  };
  process.once("exit", restore);
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    onResize(listener) {
      stdout.on("resize", listener);
    },
    onKey(listener) {
      if (!stdin.isTTY) return;
      stdin.setRawMode(true);
      stdin.on("data", (bytes) => {
        listener(bytes.toString("utf8"));
      });
    },
    takeScreen() {
      isTaken = true;
      stdout.write("\x1b[?1049h\x1b[?25l");
    },
    restore,
  };
}
