import { execa } from "execa";
import type { CeleryVenv } from "./python.ts";

/**
 * Runs `celery control COMMAND` on one node, as a user does.
 *
 * @throws Error with its output if it fails
 */
export async function celeryControl(
  venv: CeleryVenv,
  brokerUrl: string,
  node: string,
  ...command: readonly string[]
): Promise<void> {
  const args = ["-b", brokerUrl, "control", "-t", "5", "-d", node, ...command];
  const { failed, stdout, stderr } = await execa(venv.celery, args, {
    env: { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: 30_000,
    cwd: "/",
  });
  if (failed) throw new Error(`celery control ${command.join(" ")} failed:\n${stdout}\n${stderr}`);
}
