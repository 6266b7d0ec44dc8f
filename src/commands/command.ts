import type { UsageProblem } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { NOTHING, page, type Printable, withoutPasswords } from "../render/gate.ts";
import { sentence as shown } from "../render/speech.ts";

/** The output and the exit code of a run. */
export interface Ending {
  readonly stdout: Printable;
  readonly stderr: Printable;
  readonly exitCode: 0 | 1;
  /** The exit code is the answer. It stays the same even when the output cannot be written. */
  readonly isVerdict?: true;
}

/** The words and the environment of a command, already read. */
export interface Told<Configuration> {
  readonly config: Configuration;
  /** The words after the command. */
  readonly words: readonly string[];
  /** Variables that begin like ours but are not known. */
  readonly unknownVariables: readonly string[];
}

export type Run<Configuration> = (told: Told<Configuration>, host: Host) => Promise<Ending>;

/** Says why nothing was done. */
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
