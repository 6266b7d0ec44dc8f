import { execa } from "execa";
import type { CeleryVenv } from "./python.ts";

export interface InspectPing {
  readonly venv: CeleryVenv;
  readonly brokerUrl: string;
  /** Full node name; undefined asks all nodes. */
  readonly node?: string;
  /** Celery's `-t`, in seconds; Celery's default is 1. */
  readonly timeoutSeconds?: number;
  /** After this time it is killed; default: {@link LONGEST_MS}. */
  readonly longestMs?: number;
}

export interface ShellResult {
  /** undefined: it was killed because it did not end in time. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall-clock milliseconds from start to end. */
  readonly ms: number;
}

/** Without its broker, `celery inspect` goes on trying for minutes. No test waits for that. */
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
    // In the folder of an application, Celery would find its settings.
    cwd: "/",
  });
  return {
    exitCode: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    ms: performance.now() - began,
  };
}
