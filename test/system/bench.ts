import { type BaseImages, baseImages, removeBaseImages } from "./base-image.ts";
import type { Docker } from "./docker.ts";
import { type Engine, startEngine } from "./engine.ts";
import { buildProbeImage } from "./probe-image.ts";

/** Not `celery-probe`: in a borrowed engine that name may be taken. The number keeps two runs apart. */
const PROBE_IMAGE = `celery-probe-under-test:${process.pid}`;

/**
 * An engine with the base images and the image under test, and a list of what has to be removed at the end.
 *
 * Whatever is made gets its removal noted in the same breath, before it can fail, so that a failing test leaves
 * nothing behind either.
 */
export class DockerBench {
  readonly docker: Docker;
  readonly bases: BaseImages;
  readonly probeImage: string = PROBE_IMAGE;
  readonly #removals: (() => Promise<unknown>)[];

  /** @throws Error when there is no engine and none can be started, or an image cannot be made */
  static async open(): Promise<DockerBench> {
    const engine = await startEngine();
    const removals: (() => Promise<unknown>)[] = [() => engine.stop()];
    try {
      return await DockerBench.#furnish(engine, removals);
    } catch (error) {
      await removeAll(removals);
      throw error;
    }
  }

  static async #furnish(engine: Engine, removals: (() => Promise<unknown>)[]): Promise<DockerBench> {
    const { docker, isBorrowed } = engine;
    // In an engine of our own they stay for the next run.
    if (isBorrowed) removals.push(() => removeBaseImages(docker));
    const bases = await baseImages(docker);
    removals.push(() => docker.run(["image", "rm", "--force", PROBE_IMAGE]));
    await buildProbeImage(docker, bases, PROBE_IMAGE, "glibc");
    return new DockerBench(docker, bases, removals);
  }

  private constructor(docker: Docker, bases: BaseImages, removals: (() => Promise<unknown>)[]) {
    this.docker = docker;
    this.bases = bases;
    this.#removals = removals;
  }

  /** Has `remove` called by {@link close}, before everything that was noted earlier. */
  atEnd(remove: () => Promise<unknown>): void {
    this.#removals.push(remove);
  }

  /** Removes everything. @throws AggregateError of what could not be removed, after all of it has been tried */
  async close(): Promise<void> {
    await removeAll(this.#removals);
  }
}

async function removeAll(removals: (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (let remove = removals.pop(); remove !== undefined; remove = removals.pop()) {
    await remove().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw new AggregateError(errors, "not everything could be removed");
}
