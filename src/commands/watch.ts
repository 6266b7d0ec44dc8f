import type { Run } from "./command.ts";

export const watch: Run<unknown> = () =>
  Promise.resolve({ stdout: "", stderr: "celery-probe: watch is not there yet\n", exitCode: 1 });
