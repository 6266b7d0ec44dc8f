import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { toolVenv } from "../world/python.ts";
import { DockerBench } from "./bench.ts";
import { unpacked } from "./debian.ts";
import { Pod } from "./kubelet.ts";
import type { PodSpec } from "./pod-spec.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const FOLDER = join(ROOT, "examples/kubernetes");
/** Kustomize and the Prometheus operator read these files. Kubernetes has no schema for them. */
const FOREIGN = ["fleet/kustomization.yaml", "fleet/service-monitor.yaml"];
const FILES = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".yaml"),
);
const MANIFESTS = FILES.filter((file) => !FOREIGN.includes(file));
const NAME = `celery-probe-kubernetes-${process.pid}`;
const REDIS = `${NAME}-redis`;

/** In the form that `kubectl apply` reads. */
function readManifest(file: string): { kind: string; spec: PodSpec & { template?: { spec: PodSpec } } }[] {
  return parseAllDocuments(readFileSync(join(FOLDER, file), "utf8"), { merge: true }).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as ReturnType<typeof readManifest>[number];
  });
}

function podOf(file: string): PodSpec {
  const [manifest] = readManifest(file);
  if (manifest === undefined) throw new Error(`${file} has no manifest`);
  return manifest.spec.template?.spec ?? manifest.spec;
}

test("fleet/ fits together by kustomize, and the ServiceMonitor finds the port of the pods", async () => {
  expect(FILES).toEqual(expect.arrayContaining(FOREIGN));
  const kubectl = join(await unpacked("kubernetes-client"), "usr/bin/kubectl");
  const { stdout } = await execa(kubectl, ["kustomize", join(FOLDER, "fleet")], {
    env: { HOME: "/nonexistent" },
  });
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  const of = (kind: string) => objects.find((one) => one.kind === kind);
  const [deployment, service, monitor] = ["Deployment", "Service", "ServiceMonitor"].map(of);
  expect(objects.map(({ metadata }) => metadata.namespace)).toEqual(["celery", "celery", "celery"]);
  expect(service?.metadata.labels).toEqual(monitor?.spec.selector?.matchLabels);
  expect(deployment?.spec.template?.metadata.labels).toEqual(service?.spec.selector);
  const [port] = service?.spec.ports ?? [];
  expect(monitor?.spec.endpoints?.map((one) => one.port)).toEqual([port?.name]);
  const { ports } = deployment?.spec.template?.spec.containers[0] ?? {};
  expect(ports).toEqual([{ name: port?.targetPort, containerPort: 9540 }]);
});

/** The output of kustomize, with only the names that must match. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly labels?: Labels };
  readonly spec: {
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly ports?: readonly { readonly name: string; readonly targetPort: string }[];
    readonly endpoints?: readonly { readonly port: string }[];
    readonly template?: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: { readonly containers: readonly { readonly ports: unknown }[] };
    };
  };
}
type Labels = Readonly<Record<string, unknown>>;

test.each(MANIFESTS)("%s is valid by the schemas of Kubernetes 1.28 and 1.37", async (file) => {
  const venv = await toolVenv("kubernetes", ["kubernetes-validate==1.37.0"]);
  const validate = join(venv, "bin/kubernetes-validate");
  for (const version of ["1.28", "1.37"]) {
    await execa(validate, ["--strict", "-k", version, join(FOLDER, file)]);
  }
});

// One after the other, because they share a broker with its queue and its workers. The first two have their own
// databases.
describe("what the kubelet does with the examples", () => {
  let bench: DockerBench;
  let place: Parameters<typeof Pod.start>[0];

  beforeAll(async () => {
    bench = await DockerBench.open();
    const { docker, bases, probeImage } = bench;
    bench.atEnd(() => docker.run(["network", "rm", NAME]));
    await docker.run(["network", "create", NAME]);
    bench.atEnd(() => docker.run(["container", "rm", "--force", REDIS]));
    await docker.run([
      ...["run", "--detach", "--name", REDIS, "--network", NAME, "--network-alias", "redis", bases.redis],
    ]);
    const worker = `${NAME}-worker`;
    bench.atEnd(() => docker.run(["image", "rm", "--force", worker]));
    const context = join(ROOT, "examples/compose");
    const bases_ = ["--build-arg", `BASE=${bases.python}`, "--build-arg", `PROBE=${probeImage}`];
    await docker.run(["build", ...bases_, "--target", "plain", "--tag", worker, context]);
    const images = {
      "celery-probe": probeImage,
      "celery-probe:serve": await bench.buildServeImage(`${NAME}-serve`),
      worker,
    };
    place = { docker, network: NAME, images, pauseImage: bases.slim };
    return () => bench.close();
  });

  test.concurrent("worker.yaml leaves a busy worker alone and restarts a stopped one", async () => {
    const pod = podOf("worker.yaml");
    await using running = await Pod.start(place, `${NAME}-w`, solo(pod));
    await running.untilReady(60_000);
    // Both probes begin when the startup probe has succeeded. The other one may have ended first.
    await until("the worker is alive", 30_000, () =>
      Promise.resolve(
        /^healthy: alive: /.test(running.said("worker", "liveness")?.stdout ?? "") || undefined,
      ),
    );

    const container = running.containerOf("worker");
    await place.docker.run(["exec", container, "python", "-c", "from tasks import nap; nap.delay(45)"]);
    await until("the worker is busy", 30_000, () =>
      Promise.resolve(/^healthy: busy: /.test(running.said("worker", "liveness")?.stdout ?? "") || undefined),
    );
    // Longer than failureThreshold times periodSeconds.
    await until("the task is done", 60_000, async () => {
      const { stdout, stderr } = await place.docker.try(["logs", container]);
      return /succeeded in/.test(stdout + stderr) || undefined;
    });
    expect(running.restarts("worker")).toBe(0);

    await place.docker.run(["exec", container, "sh", "-c", "kill -STOP 1"]);
    await place.docker.run(["kill", "--signal", "STOP", container]);
    const began = performance.now();
    await until("the worker was restarted", 60_000, () =>
      Promise.resolve(running.restarts("worker") === 1 || undefined),
    );
    expect(running.said("worker", "liveness")?.stdout).toMatch(/^unhealthy: stopped: /);
    expect(performance.now() - began).toBeLessThan(40_000);
    await running.untilReady(60_000);
  });

  test.concurrent(
    "sidecar.yaml: the sidecar's answers leave a busy worker alone and restart a stopped one",
    async () => {
      await using running = await Pod.start(place, `${NAME}-s`, onDatabase(1, solo(podOf("sidecar.yaml"))));
      await running.untilReady(60_000);
      const [container, sidecar] = ["worker", "probe"].map((name) => running.containerOf(name)) as [
        string,
        string,
      ];
      expect(running.said("worker", "liveness")?.stdout).toMatch(/^(?:healthy: alive|unknown): /);
      await place.docker.run(["exec", container, "python", "-c", "from tasks import nap; nap.delay(45)"]);
      const liveness = () => running.said("worker", "liveness")?.stdout ?? "";
      await until(
        "the worker is busy",
        40_000,
        () => Promise.resolve(/^healthy: busy: /.test(liveness()) || undefined),
        () => Promise.resolve(liveness()),
      );
      await until("the task is done", 60_000, async () => {
        const { stdout, stderr } = await place.docker.try(["logs", container]);
        return /succeeded in/.test(stdout + stderr) || undefined;
      });
      expect([running.restarts("worker"), running.isReady]).toEqual([0, true]);

      await place.docker.run(["kill", "--signal", "STOP", container]);
      const began = performance.now();
      await until("the worker was restarted", 60_000, () =>
        Promise.resolve(running.restarts("worker") === 1 || undefined),
      );
      expect(liveness()).toMatch(/^unhealthy: stopped: .*; hint: /);
      expect(performance.now() - began).toBeLessThan(40_000);
      await running.untilReady(60_000);
      expect(running.restarts("probe")).toBe(0);
      const { stdout } = await place.docker.try(["logs", sidecar]);
      expect(stdout).toMatch(/ unhealthy: stopped: celery@/);
    },
  );

  test("beside.yaml makes the pod unready while its worker is stopped", async () => {
    await using running = await Pod.start(place, `${NAME}-b`, podOf("beside.yaml"));
    await running.untilReady(60_000);
    const container = running.containerOf("worker");
    await place.docker.run(["exec", container, "python", "-c", "from tasks import nap; nap.delay(20)"]);
    await until("the worker is seen busy", 30_000, () =>
      Promise.resolve(/^healthy: busy: /.test(running.said("probe", "readiness")?.stdout ?? "") || undefined),
    );
    expect(running.isReady).toBe(true);
    await place.docker.run(["kill", "--signal", "STOP", container]);
    await until("the pod is not ready", 60_000, () => Promise.resolve(running.isReady ? undefined : true));
    expect(running.said("probe", "readiness")?.stdout).toMatch(/^unhealthy: stopped: /);
    await place.docker.run(["kill", "--signal", "CONT", container]);
    await running.untilReady(60_000);
    const { stdout } = await place.docker.try(["logs", running.containerOf("probe")]);
    expect(stdout).toMatch(/ (?:node \S+ state=|broker \S+ nodes=0)/);
  });

  test("monitor.yaml is ready while two workers answer", async () => {
    const { docker } = place;
    await using monitor = await Pod.start(place, `${NAME}-m`, hurried(podOf("monitor.yaml")));
    const workers = ["1", "2"].map((number) => `${NAME}-${number}`);
    bench.atEnd(() => docker.run(["container", "rm", "--force", ...workers]));
    const broker = ["--env", "CELERY_BROKER_URL=redis://redis:6379/0", "--network", NAME];
    const command = ["celery", "-A", "tasks", "worker", "--pool", "solo"];
    const start = (name: string) =>
      docker.run(["run", "--detach", "--name", name, ...broker, place.images["worker"] ?? "", ...command]);
    await start(workers[0] ?? "");
    await until("one worker answers", 60_000, () =>
      Promise.resolve(/1 of 2/.test(monitor.said("monitor", "readiness")?.stdout ?? "") || undefined),
    );
    expect(monitor.isReady).toBe(false);
    await start(workers[1] ?? "");
    await monitor.untilReady(60_000);
    await docker.run(["kill", workers[0] ?? ""]);
    await until("it is not ready", 60_000, () => Promise.resolve(monitor.isReady ? undefined : true));
  });
});

/** One process for everything, which a task blocks. Otherwise no worker would be busy. */
function solo(pod: PodSpec): PodSpec {
  const containers = pod.containers.map((container) => ({
    ...container,
    command: (container.command ?? []).map((word) => (word === "-c" ? "-P" : word === "2" ? "solo" : word)),
  }));
  return { ...pod, containers };
}

/** On another database of the same Redis, no other worker shares its queues. */
function onDatabase(number: number, pod: PodSpec): PodSpec {
  return JSON.parse(JSON.stringify(pod).replaceAll(/(redis:\/\/redis:6379\/)0/g, `$1${number}`)) as PodSpec;
}

/** The original period would only make the test longer. */
function hurried(pod: PodSpec): PodSpec {
  const containers = pod.containers.map((container) =>
    container.readinessProbe === undefined
      ? container
      : { ...container, readinessProbe: { ...container.readinessProbe, periodSeconds: 2 } },
  );
  return { ...pod, containers };
}
