import type { UsageProblem } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { NOTHING, page, type Printable, withoutPasswords } from "../render/gate.ts";
import { sentence as shown } from "../render/speech.ts";

/** What the process is to say and how it is to end. */
export interface Ending {
  readonly stdout: Printable;
  readonly stderr: Printable;
  readonly exitCode: 0 | 1;
  /** The exit code says all: it stands, whether the words could be written or not. */
  readonly isVerdict?: true;
}

/** What the words and the environment tell a command. */
export interface Told<Configuration> {
  readonly config: Configuration;
  /** The words behind the command. */
  readonly words: readonly string[];
  /** Variables that only look like ours. */
  readonly unknownVariables: readonly string[];
}

/** Runs one command and returns its output. */
export type Run<Configuration> = (told: Told<Configuration>, host: Host) => Promise<Ending>;

/** Nothing was done, and why. */
export function failed(sentence: string): Ending {
  return {
    stdout: NOTHING,
    stderr: page([`celery-probe: ${shown(withoutPasswords(sentence))}`]),
    exitCode: 1,
  };
}

export function misused({ sentence }: UsageProblem): Ending {
  return failed(sentence);
}
