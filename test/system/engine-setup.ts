import type { TestProject } from "vitest/node";
import { type BaseImages, baseImages, removeBaseImages } from "./base-image.ts";
import { startEngine } from "./engine.ts";

/** The engine of a whole system run, and the images that its files start with. */
export interface SharedEngine {
  /** The variables that a Docker client needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  readonly bases: BaseImages;
  /** As in `Engine`. */
  readonly networkPid: number | null;
}

declare module "vitest" {
  interface ProvidedContext {
    engine: SharedEngine;
  }
}

/** The variable in which the first project of a run passes its engine to the others. */
const SHARED = "CELERY_PROBE_TEST_ENGINE";

/** Starts one engine for all files. Each file uses its own names in it. */
export default async function keepEngine(project: TestProject): Promise<() => Promise<void>> {
  const shared = process.env[SHARED];
  if (shared !== undefined) {
    project.provide("engine", JSON.parse(shared) as SharedEngine);
    return () => Promise.resolve();
  }
  const engine = await startEngine();
  const { docker, isBorrowed, networkPid } = engine;
  try {
    const own: SharedEngine = { env: docker.env, bases: await baseImages(docker), networkPid };
    project.provide("engine", own);
    process.env[SHARED] = JSON.stringify(own);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return async () => {
    // In our own engine they stay for the next run.
    if (isBorrowed) await removeBaseImages(docker);
    await engine.stop();
  };
}
