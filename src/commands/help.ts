import { COMMAND_NAMES } from "../cli/commands.ts";
import { helpText } from "../cli/help.ts";
import { unknownWord, wrong } from "../cli/usage.ts";
import { NOTHING, ours } from "../render/gate.ts";
import { misused, type Run } from "./command.ts";

/** What a command does and which options it takes. */
export const help: Run<unknown> = ({ words: [word = "check"] }, host) => {
  const name = COMMAND_NAMES.find((one) => one === word);
  if (name === undefined) return Promise.resolve(misused(wrong(unknownWord(word, null)).problem));
  return Promise.resolve({ stdout: ours(helpText(host.version, name)), stderr: NOTHING, exitCode: 0 });
};
