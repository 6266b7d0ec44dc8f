import { install as copy } from "../install/install.ts";
import { lines, NOTHING } from "../render/gate.ts";
import { installWords } from "../render/install-words.ts";
import { sentence } from "../render/speech.ts";
import { failed, type Run } from "./command.ts";

/** Copies this executable into a volume that containers without a shell can share. */
export const install: Run<unknown> = async ({ words: [path = ""] }, host) => {
  const done = await copy(path, host, await host.files());
  const isDone = done.kind === "installed" || done.kind === "replaced" || done.kind === "already-there";
  const words = installWords(done, host.version);
  return isDone ? { stdout: lines([sentence(words)]), stderr: NOTHING, exitCode: 0 } : failed(words);
};
