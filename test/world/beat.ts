import type { Program } from "./contained-program.ts";
import type { CeleryVersion } from "./pairs.ts";
import { celeryVenv, type VenvOptions } from "./python.ts";
import type { WorkerPlace } from "./worker-command.ts";

export interface BeatOptions {
  /** Null: no broker is named. */
  readonly brokerUrl: string | null;
  /** Default: the newest. */
  readonly celery?: CeleryVersion;
  /** Further packages, e.g. another scheduler. */
  readonly also?: VenvOptions["also"];
  /** Arguments of `celery beat`. */
  readonly args?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a real beat of `tasks.py` in this place. Its working folder is {@link Program.folder}. Resolves when it has
 * started.
 */
export async function startBeat(place: Pick<WorkerPlace, "start">, options: BeatOptions): Promise<Program> {
  const { brokerUrl, celery = "5.7.0", also, args = [], settings = {} } = options;
  const venv = await celeryVenv(celery, also === undefined ? {} : { also });
  const beat = await place.start({
    what: `beat:${celery}`,
    command: venv.python,
    // Entering namespaces loses the working folder.
    args: (folder) => ["-m", "celery", "-A", "tasks", "--workdir", folder, "beat", "-l", "INFO", ...args],
    env: (folder) => ({
      PATH: "/usr/bin:/bin",
      HOME: folder,
      LANG: "C.UTF-8",
      PYTHONPATH: import.meta.dirname,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      TASKS_SETTINGS: JSON.stringify(settings),
      ...(brokerUrl === null ? {} : { CELERY_BROKER_URL: brokerUrl }),
      ...options.env,
    }),
  });
  await beat.waitForLog(/beat: Starting/);
  return beat;
}
