import { execa } from "execa";
import type { CeleryVenv } from "./python.ts";

export interface InspectPing {
  readonly venv: CeleryVenv;
  readonly brokerUrl: string;
  /** Full node name; undefined asks everyone. */
  readonly node?: string;
  /** Celery's `-t`, seconds; Celery's default is 1. */
  readonly timeoutSeconds?: number;
  /** After which it is killed; {@link LONGEST_MS} where nothing is said. */
  readonly longestMs?: number;
}

export interface ShellResult {
  /** undefined where it was killed, as it had not ended in time. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall-clock milliseconds from start to end. */
  readonly ms: number;
}

/** A `celery inspect` without its broker goes on trying for minutes; no test waits for that. */
export const LONGEST_MS = 60_000;

/** The health check that the product replaces: `celery -b URL inspect ping -d NODE`, in a bare environment. */
export async function celeryInspectPing(options: InspectPing): Promise<ShellResult> {
  const args = ["-b", options.brokerUrl, "inspect", "ping"];
  if (options.node !== undefined) args.push("-d", options.node);
  if (options.timeoutSeconds !== undefined) args.push("-t", String(options.timeoutSeconds));
  const began = performance.now();
  const result = await execa(options.venv.celery, args, {
    env: { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: options.longestMs ?? LONGEST_MS,
    // In the folder of somebody's application Celery would find its settings.
    cwd: "/",
  });
  return {
    exitCode: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    ms: performance.now() - began,
  };
}
