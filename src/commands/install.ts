import { install as copy } from "../install/install.ts";
import { installWords } from "../render/install-words.ts";
import { line, sentence } from "../render/speech.ts";
import type { Run } from "./command.ts";

/** Copies this executable, for containers that share it with others and have no shell. */
export const install: Run<unknown> = async ({ words: [path = ""] }, host) => {
  const done = copy(path, host.uuid(), await host.files());
  const isDone = done.kind === "installed" || done.kind === "replaced" || done.kind === "already-there";
  const words = line(sentence(installWords(done, host.version)));
  return isDone
    ? { stdout: `${words}\n`, stderr: "", exitCode: 0 }
    : { stdout: "", stderr: `celery-probe: ${words}\n`, exitCode: 1 };
};
