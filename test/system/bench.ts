import { inject } from "vitest";
import type { BaseImages } from "./base-image.ts";
import { Docker } from "./docker.ts";
import { buildProbeImage } from "./probe-image.ts";

/** Not `celery-probe`: in a borrowed engine that name may be taken. The number keeps two runs apart. */
const PROBE_IMAGE = `celery-probe-under-test:${process.pid}`;

/**
 * The run's engine with the base images and the tested image, and a list of what must be removed at the end.
 *
 * Each removal is noted before the thing is made. So a failing test leaves nothing behind either.
 */
export class DockerBench {
  readonly docker: Docker;
  readonly bases: BaseImages;
  readonly probeImage: string = PROBE_IMAGE;
  readonly #removals: (() => Promise<unknown>)[];

  /**
   * An image of the stage `serve` of Dockerfile.sidecar, with this name.
   *
   * @throws Error if the image cannot be made
   */
  async buildServeImage(tag: string): Promise<string> {
    this.atEnd(() => this.docker.run(["image", "rm", "--force", tag]));
    await buildProbeImage(this.docker, this.bases, tag, "glibc", "serve");
    return tag;
  }

  /** @throws Error if the image cannot be made */
  static async open(): Promise<DockerBench> {
    const { env, bases } = inject("engine");
    const docker = new Docker(env);
    const removals = [() => docker.run(["image", "rm", "--force", PROBE_IMAGE])];
    try {
      await buildProbeImage(docker, bases, PROBE_IMAGE, "glibc");
      return new DockerBench(docker, bases, removals);
    } catch (error) {
      await removeAll(removals);
      throw error;
    }
  }

  private constructor(docker: Docker, bases: BaseImages, removals: (() => Promise<unknown>)[]) {
    this.docker = docker;
    this.bases = bases;
    this.#removals = removals;
  }

  /** Makes {@link close} call `remove`, before everything that was noted earlier. */
  atEnd(remove: () => Promise<unknown>): void {
    this.#removals.push(remove);
  }

  /** Removes everything. @throws AggregateError of the failed removals, after all have been tried */
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
