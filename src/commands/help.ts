import { COMMAND_NAMES, DEFAULT_COMMAND } from "../cli/commands.ts";
import { helpText } from "../cli/help.ts";
import { sentenceOf } from "../cli/stray.ts";
import { NOTHING, ours } from "../render/gate.ts";
import { failed, type Run } from "./command.ts";

/** Prints what a command does and its options. */
export const help: Run<unknown> = ({ words: [word = DEFAULT_COMMAND] }, host) => {
  const name = COMMAND_NAMES.find((one) => one === word);
  if (name === undefined) {
    const stray = { kind: "stray", what: "command", word, next: null, command: DEFAULT_COMMAND } as const;
    return Promise.resolve(failed(sentenceOf(stray)));
  }
  return Promise.resolve({ stdout: ours(helpText(host.version, name)), stderr: NOTHING, exitCode: 0 });
};
