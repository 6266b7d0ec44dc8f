import { join } from "node:path";
import { execa } from "execa";
import type { CeleryVersion } from "../../world/pairs.ts";
import { celeryVenv } from "../../world/python.ts";

interface ClientOptions {
  readonly celery?: CeleryVersion;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * Runs Python as a client in the tasks' own application: `app`, `add` and `nap` are available.
 *
 * @returns its output
 */
export async function client(
  brokerUrl: string,
  code: string,
  { celery = "5.7.0", settings = {} }: ClientOptions = {},
): Promise<string> {
  const { python } = await celeryVenv(celery);
  const { stdout } = await execa(python, ["-c", `from tasks import app, add, nap\n${code}`], {
    env: {
      PATH: "/usr/bin:/bin",
      LANG: "C.UTF-8",
      PYTHONPATH: join(import.meta.dirname, "../../world"),
      PYTHONDONTWRITEBYTECODE: "1",
      CELERY_BROKER_URL: brokerUrl,
      TASKS_SETTINGS: JSON.stringify(settings),
    },
    extendEnv: false,
    stdin: "ignore",
    cwd: "/",
  });
  return stdout;
}
