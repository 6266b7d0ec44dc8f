import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { OPTIONS } from "../src/cli/options.ts";
import { duration } from "../src/cli/values.ts";
import { EXAMPLES as EXAMPLE_FILES, read, ROOT } from "./pages.ts";

/** docs/timing.md, its numbers held against the files of examples/ and the formulas that it gives. */
const PAGE = read("docs/timing.md");

/** What the page has of a file's texts: as they stand there. */
interface Texts {
  readonly interval: string;
  readonly timeout?: string;
  readonly retries: string;
  readonly start?: string;
  readonly stop?: string;
}

interface HealthCheck {
  readonly test?: readonly string[];
  readonly interval?: string | number;
  readonly timeout?: string | number;
  readonly retries?: number;
  readonly start_period?: string;
  readonly startPeriod?: number;
}

interface Service {
  readonly healthcheck?: HealthCheck;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly restart_policy?: { readonly delay?: string } };
}

interface KubernetesProbe {
  readonly exec?: { readonly command: readonly string[] };
  readonly periodSeconds: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold: number;
}

const PROBES = ["startupProbe", "livenessProbe", "readinessProbe"] as const;
type KubernetesContainer = Partial<Record<(typeof PROBES)[number], KubernetesProbe>> & {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
};
interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly KubernetesContainer[];
}

function yaml(file: string): unknown {
  const [document] = parseAllDocuments(read(file), { merge: true });
  return document?.toJS();
}

const servicesOf = (file: string) => (yaml(file) as { services: Record<string, Service> }).services;

function podOf(file: string): PodSpec {
  const { spec } = yaml(file) as { spec: PodSpec & { template?: { spec: PodSpec } } };
  return spec.template?.spec ?? spec;
}

const MANIFESTS = readdirSync(join(ROOT, "examples/kubernetes")).filter((file) => file.endsWith(".yaml"));

/** The value of a setting in a unit, in supervisord's configuration, or of a constant in Python. */
function settingIn(file: string, name: string): string {
  const value = new RegExp(`^${name} ?= ?(\\S+)`, "m").exec(read(file))?.[1];
  if (value === undefined) throw new Error(`${file} does not set ${name}`);
  return value;
}

/** In seconds: as Compose, systemd or a bare number of seconds has it. */
function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const read = duration(text.replace(/min$/, "m"));
  if (!read.ok) throw new Error(`${text} ${read.problem}`);
  return read.value / 1_000;
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not there`);
  return value;
}

const COMPOSE = "examples/compose/compose.yaml";
const SWARM = "examples/swarm/stack.yaml";
const KUBERNETES = "examples/kubernetes/worker.yaml";
const ECS = "examples/ecs/task-definition.json";
const LISTENER = "examples/supervisor/restart_unhealthy.py";
const SUPERVISORD = "examples/supervisor/supervisord.conf";
const TIMER = "examples/systemd/worker-probe.timer";
const PROBE_UNIT = "examples/systemd/worker-probe.service";

const compose = found(servicesOf(COMPOSE)["worker"], "the worker of Compose");
const swarm = found(servicesOf(SWARM)["worker"], "the worker of Swarm");
const pod = podOf(KUBERNETES);
const kubernetes = found(
  pod.containers.find(({ name }) => name === "worker"),
  "the worker of Kubernetes",
);
const ecs = found(
  (
    JSON.parse(read(ECS)) as {
      containerDefinitions: (Service & {
        name: string;
        healthCheck?: HealthCheck;
        stopTimeout?: number;
      })[];
    }
  ).containerDefinitions.find(({ name }) => name === "worker"),
  "the worker of ECS",
);
const ecsCheck = found(ecs.healthCheck, "its health check");
const [, pauses = ""] = /for pause in ([\d ]+); do .* sleep \$\$pause; done/.exec(read(PROBE_UNIT)) ?? [];

const ofDocker = ({ healthcheck: check, stop_grace_period: stop }: Service): Texts => ({
  interval: String(check?.interval),
  timeout: String(check?.timeout),
  retries: String(check?.retries),
  start: String(check?.start_period),
  ...(stop === undefined ? {} : { stop }),
});

const ofKubernetes = (name: (typeof PROBES)[number]): Texts => {
  const { periodSeconds, timeoutSeconds, failureThreshold } = found(kubernetes[name], name);
  return {
    interval: String(periodSeconds),
    timeout: String(timeoutSeconds),
    retries: String(failureThreshold),
    ...(name === "livenessProbe" ? { stop: String(pod.terminationGracePeriodSeconds) } : {}),
  };
};

/** By the first words of the page's rows. */
const EXAMPLES: Readonly<Record<string, Texts>> = {
  Compose: ofDocker(compose),
  Swarm: ofDocker(swarm),
  "Kubernetes, startupProbe": ofKubernetes("startupProbe"),
  "Kubernetes, livenessProbe": ofKubernetes("livenessProbe"),
  "Kubernetes, readinessProbe": ofKubernetes("readinessProbe"),
  ECS: {
    interval: String(ecsCheck.interval),
    timeout: String(ecsCheck.timeout),
    retries: String(ecsCheck.retries),
    start: String(ecsCheck.startPeriod),
    stop: String(ecs.stopTimeout),
  },
  supervisord: {
    interval: settingIn(SUPERVISORD, "events"),
    retries: settingIn(LISTENER, "FAILURES"),
    start: settingIn(LISTENER, "START_S"),
    stop: settingIn(SUPERVISORD, "stopwaitsecs"),
  },
  systemd: {
    interval: settingIn(TIMER, "OnUnitInactiveSec"),
    retries: pauses,
    start: settingIn(TIMER, "OnActiveSec"),
    stop: settingIn("examples/systemd/worker.service", "TimeoutStopSec"),
  },
};

/** The rows of the table whose head begins like this: the text of each cell, links and marks taken off the first. */
function rowsBelow(head: string): (readonly string[])[] {
  const lines = PAGE.split("\n");
  const from = lines.findIndex((line) => line.startsWith(head));
  if (from < 0) throw new Error(`the page has no table ${head}`);
  const rest = lines.slice(from + 2);
  const rows = rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith("|")),
  );
  return rows.map((row) =>
    row
      .slice(2, -2)
      .split(" | ")
      .map((cell, at) => (at === 0 ? cell.replaceAll(/\[([^\]]*)\]\([^)]*\)|`/g, "$1") : cell)),
  );
}

describe("what the examples set", () => {
  const rows = rowsBelow("| | interval |");

  test("has one row for each of them", () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(EXAMPLES));
  });

  test.each(rows)("%s: as in its file", (name, ...cells) => {
    const shown = cells.map((cell) => / → `([^`]+)`$/.exec(cell)?.[1]);
    const { interval, timeout, retries, start, stop } = EXAMPLES[name] ?? {};
    expect(shown).toEqual([interval, timeout, retries, start, stop]);
  });
});

const DEADLINE_S = OPTIONS.deadline.default / 1_000;
const GRACE_S = 300;
/** autoheal's AUTOHEAL_INTERVAL and AUTOHEAL_DEFAULT_STOP_TIMEOUT; Swarm's wait for its network and stop_grace_period. */
const BEHIND_S = { autoheal: 5 + 10, swarm: 2 + 10 };

interface Worst {
  /** As the page writes it. */
  readonly sum: string;
  readonly unhealthy: number;
  readonly restarted: number;
  /** How long an import may take. */
  readonly imports: number;
}

function byDocker({ interval, retries, start }: Texts, behind: number): Worst {
  const [every, times] = [seconds(interval), Number(retries)];
  const unhealthy = times * (every + DEADLINE_S);
  return {
    sum: `${times} × (${every} + ${DEADLINE_S}) = ${unhealthy} s`,
    unhealthy,
    restarted: unhealthy + behind,
    imports: seconds(start ?? "0") + (times - 1) * every,
  };
}

function ofTexts(name: string): Required<Texts> {
  return { timeout: "", start: "", stop: "0", ...found(EXAMPLES[name], name) };
}

function byKubelet(): Worst {
  const { interval, retries, stop } = ofTexts("Kubernetes, livenessProbe");
  const startup = ofTexts("Kubernetes, startupProbe");
  const unhealthy = Number(retries) * Number(interval) + DEADLINE_S;
  return {
    sum: `${retries} × ${interval} + ${DEADLINE_S} = ${unhealthy} s`,
    unhealthy,
    restarted: unhealthy + Number(stop),
    imports: (Number(startup.retries) - 1) * Number(startup.interval),
  };
}

function bySupervisord(): Worst {
  const { interval, retries, start, stop } = ofTexts("supervisord");
  const [tick, times] = [Number(interval.replace("TICK_", "")), Number(retries)];
  const unhealthy = times * tick + DEADLINE_S;
  return {
    sum: `${times} × ${tick} + ${DEADLINE_S} = ${unhealthy} s`,
    unhealthy,
    restarted: unhealthy + Number(stop),
    imports: Number(start) + (times - 1) * tick,
  };
}

function bySystemd(): Worst {
  const { interval, retries, stop } = ofTexts("systemd");
  const [every, accuracy] = [seconds(interval), seconds(settingIn(TIMER, "AccuracySec"))];
  const pausesS = retries.split(" ").map(Number);
  const [times, between] = [pausesS.length, pausesS.reduce((sum, one) => sum + one, 0)];
  const unhealthy = every + accuracy + times * DEADLINE_S + between;
  return {
    sum: `${every} + ${accuracy} + ${times} × ${DEADLINE_S} + ${between} = ${unhealthy} s`,
    unhealthy,
    restarted: unhealthy + seconds(stop),
    imports: between,
  };
}

const delay = seconds(found(swarm.deploy?.restart_policy?.delay, "the delay of Swarm"));
const WORST: Readonly<Record<string, Worst>> = {
  "Compose with autoheal": byDocker(ofTexts("Compose"), BEHIND_S.autoheal),
  Swarm: byDocker(ofTexts("Swarm"), BEHIND_S.swarm + delay),
  Kubernetes: byKubelet(),
  ECS: byDocker(ofTexts("ECS"), Number(ofTexts("ECS").stop)),
  supervisord: bySupervisord(),
  systemd: bySystemd(),
};

/** Whether a text has --on-unknown healthy, as an option or a variable. */
const isUnknownHealthy = (text: string) => /on[-_]unknown[^\w]+(?:value[^\w]+)?healthy/i.test(text);

/** Whose checks all take an unknown for healthy; Kubernetes has three, of which one does. */
const TAKES_UNKNOWN = Object.entries({
  Compose: [read(COMPOSE)],
  Swarm: [read(SWARM)],
  ECS: [read(ECS)],
  supervisord: read(SUPERVISORD)
    .split("\n")
    .filter((line) => line.includes("celery-probe --")),
  systemd: [read(PROBE_UNIT)],
})
  .filter(([, checks]) => checks.every(isUnknownHealthy))
  .map(([name]) => name);

describe("the worst case", () => {
  test("of each, by its formula and the numbers of its file", () => {
    expect(rowsBelow("| | unhealthy after |").map(([name, , ...cells]) => [name, ...cells])).toEqual(
      Object.entries(WORST).map(([name, { sum, restarted, imports }]) => [
        name,
        sum,
        `${restarted} s`,
        TAKES_UNKNOWN.includes(name) ? "any time" : `${imports} s`,
      ]),
    );
  });

  test("of an import, where an unknown would be unhealthy", () => {
    const told = /would give ([^;]+);/.exec(PAGE)?.[1]?.replaceAll(/\s+/g, " ");
    const all = TAKES_UNKNOWN.map((name) => `${WORST[name]?.imports} s in ${name}`);
    expect(told).toBe(`${all.slice(0, -1).join(", ")} and ${all.at(-1)}`);
  });

  test("of a hung worker has the grace in front of it", () => {
    const hung = /A \*\*hung\*\* worker[^*]+/.exec(PAGE)?.[0].replaceAll(/\s+/g, " ") ?? "";
    const told = Object.entries(WORST).map(
      ([name, { restarted }]) => `${GRACE_S + restarted} s in ${name.split(" ", 1)[0]}`,
    );
    expect(told.filter((words) => !hung.includes(words))).toEqual([]);
    const slow = duration(/--busy-grace (\S+)/.exec(read(SUPERVISORD))?.[1] ?? "");
    expect(slow.ok && slow.value / 1_000 + found(WORST["supervisord"], "supervisord").restarted).toBe(
      Number(/10 min: (\d+) s/.exec(hung)?.[1]),
    );
    // Where an example names a grace, it is the one reckoned with.
    const named = [COMPOSE, SWARM, ECS, PROBE_UNIT, KUBERNETES].map(
      (file) => /CELERY_PROBE_BUSY_GRACE[^\n]*?\b(\d+[smh])\b/.exec(read(file))?.[1],
    );
    expect(new Set(named)).toEqual(new Set([`${GRACE_S / 60}m`]));
  });
});

/** Each check of the probe in the examples, whatever starts it. */
const CHECKS: readonly { where: string; timeout: number; window: number }[] = [
  ...[COMPOSE, "examples/compose/placements.yaml", SWARM].flatMap((file) =>
    Object.entries(servicesOf(file)).flatMap(([service, { healthcheck: check }]) => {
      if (check === undefined || (check.test !== undefined && !check.test.join(" ").includes("celery-probe")))
        return [];
      const stage = read("Dockerfile.sidecar").split(" AS sidecar\n")[1] ?? "";
      const image = /^HEALTHCHECK .*--timeout=(\S+) .*--start-period=(\S+)/m.exec(stage);
      const [, timeout = "", start = ""] = image ?? [];
      const isOff = "disable" in check;
      return isOff
        ? []
        : [
            {
              where: `${file}, ${service}`,
              timeout: seconds(String(check.timeout ?? timeout)),
              window: seconds(check.start_period ?? start),
            },
          ];
    }),
  ),
  ...MANIFESTS.flatMap((file) =>
    podOf(`examples/kubernetes/${file}`).containers.flatMap((container) =>
      PROBES.flatMap((kind) => {
        const check = container[kind];
        // `serve` answers httpGet from memory: no run is waited for.
        if (check?.exec === undefined) return [];
        const startup = container.startupProbe;
        return [
          {
            where: `${file}, ${container.name}, ${kind}`,
            // Kubernetes' default.
            timeout: check.timeoutSeconds ?? 1,
            // Nothing is restarted by readiness.
            window:
              kind === "readinessProbe"
                ? Infinity
                : (startup?.periodSeconds ?? 0) * (startup?.failureThreshold ?? 0),
          },
        ];
      }),
    ),
  ),
  {
    where: ECS,
    timeout: Number(ecsCheck.timeout),
    window: Number(ecsCheck.startPeriod),
  },
];

describe("what has to hold", () => {
  test.each(CHECKS)("$where: its timeout is above the deadline", ({ timeout }) => {
    expect(timeout).toBeGreaterThan(DEADLINE_S);
  });

  test.each(CHECKS)("$where: an import of half a minute is no failure", ({ window }) => {
    expect(window).toBeGreaterThanOrEqual(30);
  });

  test("there are checks of every kind", () => {
    expect(CHECKS.length).toBeGreaterThanOrEqual(11);
  });

  test("no example has a deadline of its own", () => {
    expect(EXAMPLE_FILES.filter((file) => /--deadline\s+\S*\d|PROBE_DEADLINE/.test(read(file)))).toEqual([]);
  });

  test("ECS: its limits, on the page and in the example", () => {
    const limits = /ECS takes ([^.]+)\./.exec(PAGE)?.[1]?.replaceAll(/\s+/g, " ") ?? "";
    const ranges = [...limits.matchAll(/`(\w+)` (\d+) to (\d+)/g)];
    expect(ranges.map(([, name]) => name)).toEqual(["interval", "timeout", "retries", "startPeriod"]);
    for (const [, name = "", least, most] of ranges) {
      const value = Number(ecsCheck[name as keyof HealthCheck]);
      expect(value, name).toBeGreaterThanOrEqual(Number(least));
      expect(value, name).toBeLessThanOrEqual(Number(most));
    }
  });

  test("a restart of the broker is shorter than the failures of Compose take", () => {
    const { interval, retries } = ofTexts("Compose");
    const told = /unknown counts as unhealthy: (\d+) s in Compose/.exec(PAGE)?.[1];
    expect(Number(told)).toBe((Number(retries) - 1) * seconds(interval));
  });

  test("an outage restarts nobody where the page says so, and only there", () => {
    expect(PAGE.replaceAll(/\s+/g, " ")).toContain(
      "In the examples Swarm, ECS, supervisord, systemd and Kubernetes' liveness probe use it; " +
        "Compose and Kubernetes' startup and readiness probes do not.",
    );
    expect(TAKES_UNKNOWN).toEqual(["Swarm", "ECS", "supervisord", "systemd"]);
    const probes = PROBES.filter((kind) => isUnknownHealthy(kubernetes[kind]?.exec?.command.join(" ") ?? ""));
    expect(probes).toEqual(["livenessProbe"]);
  });
});
