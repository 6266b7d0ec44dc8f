import type { Run } from "./command.ts";

export const beat: Run<unknown> = () =>
  Promise.resolve({ stdout: "", stderr: "celery-probe: beat is not there yet\n", exitCode: 1 });
