import { SHELLS, type Shell } from "../cli/command-options.ts";
import { wrong } from "../cli/usage.ts";
import { bashScript } from "../completion/bash.ts";
import { commandsTaken, type Taken } from "../completion/commands-taken.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import { NOTHING, ours } from "../render/gate.ts";
import { misused, type Run } from "./command.ts";

const SCRIPTS: { readonly [S in Shell]: (commands: readonly Taken[]) => string } = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Prints a script with which a shell completes this program's commands and options. */
export const completion: Run<unknown> = ({ words: [word = ""] }) => {
  const shell = SHELLS.find((one) => one === word);
  if (shell === undefined) {
    const expected = `${SHELLS.slice(0, -1).join(", ")} or ${SHELLS.at(-1) ?? ""}`;
    return Promise.resolve(misused(wrong(`unknown shell '${word}': expected ${expected}`).problem));
  }
  return Promise.resolve({ stdout: ours(SCRIPTS[shell](commandsTaken())), stderr: NOTHING, exitCode: 0 });
};
