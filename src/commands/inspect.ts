import type { Run } from "./command.ts";

export const inspect: Run<unknown> = () =>
  Promise.resolve({ stdout: "", stderr: "celery-probe: inspect is not there yet\n", exitCode: 1 });
