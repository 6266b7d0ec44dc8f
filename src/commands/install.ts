import type { Run } from "./command.ts";

export const install: Run<unknown> = () =>
  Promise.resolve({ stdout: "", stderr: "celery-probe: install is not there yet\n", exitCode: 1 });
