import { setTimeout as pause } from "node:timers/promises";
import { type Docker, LOCKED, type Run } from "./docker.ts";
import { type ContainerSpec, DEFAULTS, type PodSpec, type Probe } from "./pod-spec.ts";
import { until } from "./until.ts";

/** Requests a path by HTTP/1.0. It is written in bash, because the minimal image has no other client. */
const HTTP_GET = `exec 3<>"/dev/tcp/$0/$1" && printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' "$2" "$0" >&3 && cat <&3`;

/** Where a pod runs. */
export interface Place {
  readonly docker: Docker;
  readonly network: string;
  /** The engine's names for the images of the manifest. */
  readonly images: Readonly<Record<string, string>>;
  /** An image with `sleep` and `bash`, for the container that holds the pod's namespaces. */
  readonly pauseImage: string;
}

/** The state of one container of the pod. */
interface State {
  ready: boolean;
  /** Its startup probe has succeeded, or it has no startup probe. */
  started: boolean;
  restarts: number;
  /** The result of the last run of each probe. */
  readonly said: Map<string, Run>;
}

/**
 * Does with a pod what the kubelet does, with containers of a Docker engine. One container holds the namespaces for
 * all. The init containers run one after the other, then the others start. Each has its probes with their periods,
 * timeouts and thresholds. If an init container runs as long as the pod, it counts as started when its startup probe
 * has succeeded. `httpGet` asks the pod's own address, not its loopback. A container is restarted if its startup or
 * liveness probe fails too often in a row (kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle).
 */
export class Pod implements AsyncDisposable {
  readonly #place: Place;
  readonly #name: string;
  readonly #spec: PodSpec;
  readonly #states = new Map<string, State>();
  readonly #end = new AbortController();
  readonly #probing: Promise<void>[] = [];
  #address: Promise<string> | undefined;

  private constructor(place: Place, name: string, spec: PodSpec) {
    this.#place = place;
    this.#name = name;
    this.#spec = spec;
  }

  /** @throws Error if a container does not start, or an init container fails */
  static async start(place: Place, name: string, spec: PodSpec): Promise<Pod> {
    const pod = new Pod(place, name, spec);
    try {
      await pod.#start();
      return pod;
    } catch (error) {
      await pod[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How often probes have restarted the container. */
  restarts(container: string): number {
    return this.#state(container).restarts;
  }

  /** The result of a probe's last run. */
  said(container: string, probe: "startup" | "liveness" | "readiness"): Run | undefined {
    return this.#state(container).said.get(probe);
  }

  /** Whether all its containers are ready. */
  get isReady(): boolean {
    return [...this.#states.values()].every(({ ready }) => ready);
  }

  async untilReady(withinMs: number): Promise<void> {
    await until(
      `${this.#name} is ready`,
      withinMs,
      () => Promise.resolve(this.isReady ? true : undefined),
      () =>
        Promise.resolve(
          JSON.stringify([...this.#states], (_, value: unknown) =>
            value instanceof Map ? [...value] : value,
          ),
        ),
    );
  }

  /** The engine's name of a container. */
  containerOf(container: string): string {
    return `${this.#name}-${container}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#probing);
    const { docker } = this.#place;
    const containers = [...(this.#spec.initContainers ?? []), ...this.#spec.containers].map(({ name }) =>
      this.containerOf(name),
    );
    await docker.try(["rm", "--force", "--volumes", ...containers, this.containerOf("pause")]);
    const volumes = (this.#spec.volumes ?? []).map(({ name }) => this.containerOf(name));
    if (volumes.length > 0) await docker.try(["volume", "rm", "--force", ...volumes]);
  }

  async #start(): Promise<void> {
    const { docker, network, pauseImage } = this.#place;
    await docker.run([
      ...["run", "--detach", "--name", this.containerOf("pause"), "--hostname", this.#name],
      ...["--network", network, pauseImage, "sleep", "infinity"],
    ]);
    for (const { name } of this.#spec.volumes ?? []) {
      const volume = this.containerOf(name);
      await docker.run(["volume", "create", volume]);
      // All users may write to an emptyDir.
      await docker.run([
        "run",
        "--rm",
        "--volume",
        `${volume}:/volume`,
        pauseImage,
        "chmod",
        "0777",
        "/volume",
      ]);
    }
    for (const container of this.#spec.initContainers ?? []) {
      if (container.restartPolicy === "Always") await this.#startSidecar(container);
      else await docker.run(["run", ...this.#words(container)]);
    }
    for (const container of this.#spec.containers) await this.#startLasting(container);
  }

  async #startSidecar(container: ContainerSpec): Promise<void> {
    await this.#startLasting(container);
    const state = this.#state(container.name);
    await until(
      `${container.name} has started`,
      60_000,
      () => Promise.resolve(state.started || undefined),
      () => Promise.resolve(JSON.stringify([...state.said])),
    );
  }

  async #startLasting(container: ContainerSpec): Promise<void> {
    await this.#place.docker.run(["run", "--detach", ...this.#words(container)]);
    this.#states.set(container.name, {
      ready: container.readinessProbe === undefined,
      started: container.startupProbe === undefined,
      restarts: 0,
      said: new Map(),
    });
    if (container.livenessProbe !== undefined || container.readinessProbe !== undefined)
      this.#probing.push(this.#probe(container));
  }

  #words(container: ContainerSpec): readonly string[] {
    const { name, image, command = [], args = [], env = [], volumeMounts = [], securityContext } = container;
    const { runAsUser, runAsGroup } = this.#spec.securityContext ?? {};
    const pause = `container:${this.containerOf("pause")}`;
    const [entrypoint, ...rest] = command;
    return [
      ...["--name", this.containerOf(name), "--network", pause, "--no-healthcheck"],
      ...(this.#spec.shareProcessNamespace === true ? ["--pid", pause] : []),
      ...(runAsUser === undefined ? [] : ["--user", `${runAsUser}:${runAsGroup ?? 0}`]),
      ...(securityContext?.readOnlyRootFilesystem === true ? LOCKED : []),
      ...env.flatMap((one) => ["--env", `${one.name}=${one.value}`]),
      ...volumeMounts.flatMap((mount) => [
        "--volume",
        `${this.containerOf(mount.name)}:${mount.mountPath}${mount.readOnly === true ? ":ro" : ""}`,
      ]),
      ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
      this.#place.images[image] ?? image,
      ...rest,
      ...args,
    ];
  }

  async #probe(container: ContainerSpec): Promise<void> {
    const state = this.#state(container.name);
    const isOver = () => this.#end.signal.aborted;
    while (!isOver()) {
      await this.#untilUnhealthy(container);
      if (isOver()) return;
      state.ready = container.readinessProbe === undefined;
      state.restarts += 1;
      await this.#place.docker.run(["restart", "--time", "1", this.containerOf(container.name)]);
    }
  }

  /** Starts with the container and ends with the pod. */
  async #untilUnhealthy(container: ContainerSpec): Promise<void> {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const { signal } = this.#end;
    if (
      startupProbe !== undefined &&
      (await this.#untilFailed(container, "startup", startupProbe, signal, true)) !== "succeeded"
    )
      return;
    this.#state(container.name).started = true;
    const unhealthy = new AbortController();
    const over = AbortSignal.any([signal, unhealthy.signal]);
    const ready = readinessProbe === undefined ? null : this.#keepReady(container, readinessProbe, over);
    if (livenessProbe === undefined) await ready;
    else await this.#untilFailed(container, "liveness", livenessProbe, over);
    unhealthy.abort();
    await ready;
  }

  /** Runs a probe until it has failed too often in a row. A startup probe also ends when it has succeeded. */
  async #untilFailed(
    container: ContainerSpec,
    kind: "startup" | "liveness",
    probe: Probe,
    over: AbortSignal,
    isDoneBySuccess = false,
  ): Promise<"failed" | "succeeded" | "over"> {
    let failures = 0;
    while (!over.aborted) {
      const ok = await this.#run(container, kind, probe);
      if (ok && isDoneBySuccess) return "succeeded";
      failures = ok ? 0 : failures + 1;
      if (failures >= (probe.failureThreshold ?? DEFAULTS.failureThreshold)) return "failed";
      await sleep(probe.periodSeconds, over);
    }
    return "over";
  }

  async #keepReady(container: ContainerSpec, probe: Probe, over: AbortSignal): Promise<void> {
    const state = this.#state(container.name);
    let failures = 0;
    while (!over.aborted) {
      const ok = await this.#run(container, "readiness", probe);
      failures = ok ? 0 : failures + 1;
      if (ok) state.ready = true;
      else if (failures >= (probe.failureThreshold ?? DEFAULTS.failureThreshold)) state.ready = false;
      await sleep(probe.periodSeconds, over);
    }
  }

  /** Whether the probe has succeeded in time: with exit code 0, or with a status from 200 to 399. */
  async #run({ name }: ContainerSpec, kind: string, probe: Probe): Promise<boolean> {
    const { exec, httpGet, timeoutSeconds = DEFAULTS.timeoutSeconds } = probe;
    const running =
      httpGet === undefined
        ? this.#place.docker.try(["exec", this.containerOf(name), ...(exec?.command ?? [])])
        : this.#get(httpGet);
    const done = await Promise.race([running, pause(timeoutSeconds * 1_000, null, { ref: false })]);
    const run = done ?? { exitCode: -1, stdout: "", stderr: `timed out after ${timeoutSeconds} s` };
    this.#state(name).said.set(kind, run);
    return run.exitCode === 0;
  }

  async #get({ path, port }: NonNullable<Probe["httpGet"]>): Promise<Run> {
    const { docker } = this.#place;
    const pause_ = this.containerOf("pause");
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    this.#address ??= docker.run(["inspect", "--format", format, pause_]);
    const words = ["bash", "-c", HTTP_GET, await this.#address, String(port), path];
    const { stdout, stderr } = await docker.try(["exec", pause_, ...words]);
    const [head = "", body = ""] = stdout.split(/\r?\n\r?\n/, 2);
    const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1]);
    return { exitCode: status >= 200 && status < 400 ? 0 : 1, stdout: body, stderr };
  }

  #state(container: string): State {
    const state = this.#states.get(container);
    if (state === undefined) throw new Error(`the pod has no container '${container}'`);
    return state;
  }
}

async function sleep(seconds: number, over: AbortSignal): Promise<void> {
  await pause(seconds * 1_000, undefined, { signal: over }).catch(() => undefined);
}
