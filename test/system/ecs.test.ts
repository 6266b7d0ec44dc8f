import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { takenByAny } from "../../src/cli/command-options.ts";
import { commandOf, parse } from "../../src/cli/parse.ts";
import { sentenceOf } from "../../src/cli/stray.ts";
import { toolVenv } from "../world/python.ts";
import { ROOT } from "./probe-image.ts";

/** The parts that the example uses (API reference of Amazon ECS, RegisterTaskDefinition). */
interface Definition {
  networkMode: string;
  requiresCompatibilities: string[];
  cpu: string;
  memory: string;
  volumes: { name: string }[];
  containerDefinitions: Container[];
}

interface Container {
  name: string;
  image: string;
  /** Default: true. */
  essential?: boolean;
  user?: string;
  command: string[];
  dependsOn?: { containerName: string; condition: string }[];
  mountPoints: { sourceVolume: string; containerPath: string; readOnly?: boolean }[];
  environment?: { name: string; value: string }[];
  healthCheck?: HealthCheck;
  stopTimeout?: number;
}

interface HealthCheck {
  command: string[];
  interval: number;
  timeout: number;
  retries: number;
  startPeriod: number;
}

/**
 * The limits of ContainerDefinition in the API reference. A longer stopTimeout exceeds Fargate's own limit. In seconds,
 * except retries.
 */
const LIMITS = { interval: [5, 300], timeout: [2, 60], retries: [1, 10], startPeriod: [0, 300] } as const;
const LONGEST_STOP = 120;

/** Fargate's task sizes (RegisterTaskDefinition, `memory`): MiB by CPU units. Only the likely sizes. */
const SIZES: Readonly<Record<string, readonly string[]>> = {
  256: ["512", "1024", "2048"],
  512: ["1024", "2048", "3072", "4096"],
  1024: ["2048", "3072", "4096", "5120", "6144", "7168", "8192"],
};

function example(): Definition {
  return JSON.parse(readFileSync(join(ROOT, "examples/ecs/task-definition.json"), "utf8")) as Definition;
}

/** Everything that ECS or the probe would reject. */
async function complaints(definition: Definition): Promise<readonly string[]> {
  const venv = await toolVenv("botocore", ["botocore==1.44.8"]);
  const { stdout } = await execa(
    join(venv, "bin/python"),
    [join(import.meta.dirname, "task_definition.py")],
    { input: JSON.stringify(definition) },
  );
  return [
    ...(JSON.parse(stdout) as readonly string[]),
    ...fargateComplaints(definition),
    ...definition.containerDefinitions.flatMap((container) => [
      ...dependencyComplaints(container, definition),
      ...mountComplaints(container, definition),
      ...healthComplaints(container, definition),
      ...installComplaints(container),
    ]),
  ];
}

function fargateComplaints(definition: Definition): readonly string[] {
  const { networkMode, requiresCompatibilities, cpu, memory, containerDefinitions } = definition;
  return [
    ...(requiresCompatibilities.includes("FARGATE") ? [] : ["is not for Fargate"]),
    ...(networkMode === "awsvpc" ? [] : [`network mode ${networkMode} on Fargate`]),
    ...(SIZES[cpu]?.includes(memory) === true ? [] : [`no size of Fargate: ${cpu} and ${memory}`]),
    ...(containerDefinitions.some(isEssential) ? [] : ["no essential container"]),
    ...containerDefinitions
      .filter(({ stopTimeout = 0 }) => stopTimeout > LONGEST_STOP)
      .map(({ name }) => `${name}: stopTimeout above ${LONGEST_STOP}`),
  ];
}

function isEssential({ essential = true }: Container): boolean {
  return essential;
}

function dependencyComplaints(
  { name, dependsOn = [] }: Container,
  { containerDefinitions: all }: Definition,
): readonly string[] {
  return dependsOn.flatMap(({ containerName, condition }) => {
    const other = all.find((one) => one.name === containerName);
    if (other === undefined) return [`${name} depends on ${containerName}, which is not there`];
    const ends = condition === "SUCCESS" || condition === "COMPLETE";
    if (ends && isEssential(other))
      return [`${name} waits for the end of ${containerName}, which is essential`];
    if (condition === "HEALTHY" && other.healthCheck === undefined)
      return [`${name} waits for the health of ${containerName}, which has no check`];
    return [];
  });
}

function mountComplaints(
  { name, user, mountPoints, command }: Container,
  { volumes }: Definition,
): readonly string[] {
  const names = volumes.map((volume) => volume.name);
  return mountPoints.flatMap(({ sourceVolume, readOnly = false }) => [
    ...(names.includes(sourceVolume) ? [] : [`${name} mounts ${sourceVolume}, which is not there`]),
    // A bind mount belongs to root, and only root may write to it. The image has another user.
    ...(readOnly || user === "0" ? [] : [`${name} may not write to ${sourceVolume}: expected user 0`]),
    // A container that runs the executable does not need to change it.
    ...(readOnly || command.includes("install") ? [] : [`${name} mounts ${sourceVolume} to write to it`]),
  ]);
}

function healthComplaints(container: Container, { containerDefinitions }: Definition): readonly string[] {
  const { name, healthCheck: check, mountPoints } = container;
  if (check === undefined) return isEssential(container) ? [`${name} has no health check`] : [];
  const [kind, executable = "", ...argv] = check.command;
  const volume = mountPoints.find(({ containerPath }) => executable === `${containerPath}/celery-probe`);
  const installer = containerDefinitions.find(
    (one) =>
      one.command[0] === "install" &&
      one.mountPoints.some(
        ({ sourceVolume, containerPath }) =>
          sourceVolume === volume?.sourceVolume && one.command[1] === `${containerPath}/`,
      ),
  );
  const isAwaited = container.dependsOn?.some(
    (one) => one.containerName === installer?.name && one.condition === "SUCCESS",
  );
  return [
    ...Object.entries(LIMITS)
      .filter(([field, [least, most]]) => {
        const value = check[field as keyof typeof LIMITS];
        return value < least || value > most;
      })
      .map(([field]) => `${name}: ${field} out of its limits`),
    ...(kind === "CMD" ? [] : [`${name}: a shell runs its health check`]),
    ...(installer === undefined ? [`nobody installs ${executable}`] : []),
    ...(isAwaited === true ? [] : [`${name} does not wait until ${executable} is there`]),
    ...readByProbe(argv, container, check.timeout * 1_000),
  ];
}

/** Complaints about the arguments of the image's entry point, which is the probe. */
function installComplaints(container: Container): readonly string[] {
  return container.image === "celery-probe" ? readByProbe(container.command, container, Infinity) : [];
}

/** The probe's own complaints about its arguments and the container's variables. */
function readByProbe(
  argv: readonly string[],
  { environment = [] }: Container,
  limitMs: number,
): readonly string[] {
  const env = Object.fromEntries(environment.map(({ name, value }) => [name, value]));
  const command = commandOf(argv);
  const parsed = parse(argv, env, takenByAny(command));
  if (!parsed.ok) return [sentenceOf(parsed.problem)];
  if (parsed.value.kind !== "run") return [`${argv.join(" ")} runs nothing`];
  const { unknownVariables, config } = parsed.value;
  return [
    ...unknownVariables.map((name) => `${name} is no option`),
    ...(Number(config["deadline"]?.value ?? 0) < limitMs
      ? []
      : ["the health check's timeout cuts the probe off"]),
  ];
}

test("the task definition can be registered, and the probe accepts its arguments", async () => {
  expect(await complaints(example())).toEqual([]);
});

const probe = ({ containerDefinitions: [one] }: Definition) => one as Container;
const worker = ({ containerDefinitions: [, one] }: Definition) => one as Container;
const check = (definition: Definition) => worker(definition).healthCheck as HealthCheck;

/** One mistake each, with the complaint about it. */
test.each<[what: string, plant: (definition: Definition) => unknown, words: RegExp]>([
  [
    "a number where a text is wanted",
    (d) => Object.assign(d, { cpu: 512 }),
    /Invalid type for parameter cpu/,
  ],
  [
    "a misspelt field",
    (d) => Object.assign(worker(d), { healthcheck: {} }),
    /Unknown parameter .*healthcheck/,
  ],
  [
    "a mode that there is not",
    (d) => (d.networkMode = "awsvcp"),
    /networkMode is 'awsvcp': expected bridge, host, awsvpc/,
  ],
  ["a mode that Fargate has not", (d) => (d.networkMode = "bridge"), /network mode bridge on Fargate/],
  ["a size that Fargate has not", (d) => (d.memory = "512"), /no size of Fargate: 512 and 512/],
  [
    "a condition that there is not",
    (d) => (worker(d).dependsOn = [{ containerName: "probe", condition: "DONE" }]),
    /condition is 'DONE'/,
  ],
  [
    "a container that there is not",
    (d) => (worker(d).dependsOn = [{ containerName: "prob", condition: "SUCCESS" }]),
    /depends on prob,/,
  ],
  ["an installer that is essential", (d) => delete probe(d).essential, /which is essential/],
  [
    "nobody waits for the installer",
    (d) => delete worker(d).dependsOn,
    /does not wait until \/probe\/celery-probe is there/,
  ],
  [
    "the health of who has no check",
    (d) => (worker(d).dependsOn = [{ containerName: "probe", condition: "HEALTHY" }]),
    /which has no check/,
  ],
  ["nobody essential", (d) => (worker(d).essential = false), /no essential container/],
  ["a volume that there is not", (d) => (d.volumes = []), /mounts probe, which is not there/],
  [
    "an installer that may not write",
    (d) => delete probe(d).user,
    /probe may not write to probe: expected user 0/,
  ],
  [
    "a worker that may write",
    (d) => {
      worker(d).mountPoints.forEach((one) => delete one.readOnly);
    },
    /worker mounts probe to write/,
  ],
  ["checked too often", (d) => (check(d).interval = 4), /interval out of its limits/],
  ["checked too seldom", (d) => (check(d).interval = 301), /interval out of its limits/],
  ["too little time", (d) => (check(d).timeout = 1), /timeout out of its limits/],
  ["less time than the probe takes", (d) => (check(d).timeout = 5), /cuts the probe off/],
  ["too many tries", (d) => (check(d).retries = 11), /retries out of its limits/],
  ["too long a start", (d) => (check(d).startPeriod = 301), /startPeriod out of its limits/],
  ["too long an end", (d) => (worker(d).stopTimeout = 121), /stopTimeout above 120/],
  ["a shell", (d) => (check(d).command[0] = "CMD-SHELL"), /a shell runs/],
  [
    "another path",
    (d) => (check(d).command[1] = "/usr/local/bin/celery-probe"),
    /nobody installs \/usr\/local/,
  ],
  ["an option that the probe has not", (d) => check(d).command.push("--timout=1s"), /--timout/],
  ["a command that the probe has not", (d) => (probe(d).command[0] = "instal"), /instal/],
  [
    "a value that the probe does not take",
    (d) => worker(d).environment?.push({ name: "CELERY_PROBE_TIMEOUT", value: "1" }),
    /CELERY_PROBE_TIMEOUT/,
  ],
  [
    "a variable that the probe has not",
    (d) => worker(d).environment?.push({ name: "CELERY_PROBE_GRACE", value: "1m" }),
    /CELERY_PROBE_GRACE is no option/,
  ],
])("%s would be noticed", async (_, plant, words) => {
  const definition = example();
  plant(definition);
  expect((await complaints(definition)).join("\n")).toMatch(words);
});
