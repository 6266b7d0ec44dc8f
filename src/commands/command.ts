import type { UsageProblem } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { page, sentence as shown } from "../render/speech.ts";

/** What the process is to say and how it is to end. */
export interface Ending {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: 0 | 1;
  /** The exit code says all: it stands, whether the words could be written or not. */
  readonly isVerdict?: true;
}

/** What a command is told by its words and the environment. */
export interface Told<Configuration> {
  readonly config: Configuration;
  /** The words behind the command. */
  readonly words: readonly string[];
  /** Variables that look like ours and are none. */
  readonly unknownVariables: readonly string[];
}

/** One command, from what it was told to what is said. */
export type Run<Configuration> = (told: Told<Configuration>, host: Host) => Promise<Ending>;

export function misused({ sentence }: UsageProblem): Ending {
  return { stdout: "", stderr: page([shown(`celery-probe: ${sentence}`)]), exitCode: 1 };
}
