import { asText } from "../numbers.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import type { Diagnosis } from "../doctor/diagnose.ts";
import { infoFields } from "../broker/info.ts";
import { withoutSecrets } from "../inspect/secrets.ts";
import { reportText } from "../celery/versions.ts";
import type { Host } from "../host.ts";
import type { Session } from "../session/session.ts";
import type { Scene } from "../doctor/scene.ts";
import type { TellingMethod } from "../session/ask-once.ts";
import { detailsOf } from "../worker/in-sight.ts";
import { controlGroup, machineMemory, residentBytes } from "../worker/usage.ts";
import type { Hide } from "../inspect/mask.ts";
import { hiderOf, maskedVariable, maskedWords, passwordsIn, scrub, secretsIn } from "./mask.ts";
import { withoutArguments, withoutScheduledArguments } from "./without-arguments.ts";

/** Everything that is known, without secrets; see docs/report.md. */
export interface Report {
  readonly probe: {
    readonly version: string;
    readonly runtime: string;
    readonly host: string;
    readonly at_s: number;
  };
  readonly nodes: Readonly<Record<string, NodePart>>;
  /** Sections of INFO by name. Null: the broker could not be asked. */
  readonly broker: Readonly<Record<string, Readonly<Record<string, string>>>> | null;
  readonly processes: readonly ProcessPart[];
  readonly machine: Readonly<Record<string, unknown>>;
  /** Variables of the probe's own environment that concern Celery. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A node's own answers. Null: it was not asked, or it did not answer. An answer that was too large has three other
 * fields: `not_read` names the bound, `most` is that bound, `length` is the answer's length in characters.
 */
export interface NodePart {
  readonly software: string | null;
  readonly stats: unknown;
  readonly conf: unknown;
  readonly active_queues: unknown;
  readonly registered: unknown;
  readonly active: unknown;
}

export interface ProcessPart {
  readonly pid: number;
  readonly node: string;
  readonly command: readonly string[];
  readonly resident_bytes: number | null;
  readonly children: number;
  readonly environment: Readonly<Record<string, string>> | null;
}

/** Sections of Redis' INFO that the report contains. */
const SECTIONS = ["server", "clients", "memory", "persistence", "stats", "replication", "keyspace"] as const;

/** Variables that show how a worker was set up. */
const OF_INTEREST =
  /CELERY|BROKER|REDIS|RABBIT|AMQP|RESULT|BACKEND|FLOWER|TIMEOUT|LIMIT|CONCURRENCY|POOL|QUEUE|DJANGO_SETTINGS|PYTHON|VIRTUAL_ENV|^(?:TZ|LANG|LC_ALL|HOSTNAME|PATH)$/i;

const METHODS = ["report", "stats", "conf", "active_queues", "registered", "active"] as const;

type Answers = ReadonlyMap<TellingMethod, ReadonlyMap<string, unknown>>;

/** Gathers what the findings do not contain. */
export async function gatherReport(
  config: CommandConfig<"report">,
  host: Host,
  { scene }: Diagnosis,
): Promise<{ readonly report: Report; readonly hide: Hide }> {
  const { told, session } = scene;
  const answers = new Map<TellingMethod, ReadonlyMap<string, unknown>>();
  for (const method of METHODS) answers.set(method, await told(method));
  const details = detailsIn(host, scene);
  const secrets = secretsAround(config, host, scene, details);
  const parts = nodesIn(answers, scene).map((node) => {
    const masked = maskedAnswers(node, answers, scene, secrets);
    return [node, partOf(masked, config["with-arguments"].value)] as const;
  });
  const report: Report = {
    probe: {
      version: host.version,
      runtime: host.runtime,
      host: host.hostname,
      at_s: Math.round(host.epochSeconds()),
    },
    nodes: Object.fromEntries(parts),
    broker: session.ok ? await infoOf(session.value) : null,
    processes: details.map((one) => processPart(host, one)),
    machine: {
      ...(machineMemory(host.proc) ?? {}),
      control_group: controlGroup(host.proc, host.proc.self),
      kernel: kernelOf(host),
    },
    environment: chosen(ownEnvironment(host)),
  };
  // Hides secrets once more in the whole report: a secret that one part masks may appear in another.
  const hide = hiderOf(secrets);
  return { report: scrubbed(report, hide), hide };
}

type Details = Scene["workers"][number] & ReturnType<typeof detailsOf>;

function detailsIn({ proc }: Host, { workers }: Scene): readonly Details[] {
  return workers.map(({ node, process }) => ({ node, process, ...detailsOf(proc, process.pid) }));
}

function ownEnvironment({ env }: Host): readonly (readonly [name: string, value: string])[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
}

/** All known secrets. The longest come first, because a secret may be part of another. */
function secretsAround(
  config: CommandConfig<"report">,
  host: Host,
  { session }: Scene,
  details: readonly Details[],
): readonly string[] {
  const environments = [ownEnvironment(host), ...details.map(({ environment }) => [...(environment ?? [])])];
  const ours = [
    ...(session.ok ? [session.value.read.target.password, session.value.write.target.password] : []),
    config["sentinel-password"].value,
    ...host.argv.flatMap(passwordsIn),
    ...details.flatMap(({ process }) => argvOf(host, process.pid).flatMap(passwordsIn)),
  ].filter((one): one is string => typeof one === "string" && one !== "");
  return [...new Set([...ours, ...environments.flatMap(secretsIn)])].sort((a, b) => b.length - a.length);
}

function nodesIn(answers: Answers, { overBound }: Scene): readonly string[] {
  const named = [...answers.values()].flatMap((one) => [...one.keys()]);
  return [...new Set([...named, ...overBound().flatMap(({ node }) => node ?? [])])].sort();
}

/** The node's answer to each question, without secrets. */
function maskedAnswers(
  node: string,
  answers: Answers,
  { overBound }: Scene,
  secrets: readonly string[],
): (method: TellingMethod) => unknown {
  return (method) => {
    const answer = answers.get(method)?.get(node);
    const unread = overBound().find((one) => one.node === node && one.method === method);
    if (unread !== undefined) return { not_read: unread.bound, length: unread.length, most: unread.most };
    return answer === undefined ? null : withoutSecrets(method, answer, secrets);
  };
}

function partOf(told: (method: TellingMethod) => unknown, withArguments: boolean): NodePart {
  const [conf, active] = [told("conf"), told("active")];
  return {
    software: versionLines(reportText(told("report"))),
    stats: told("stats"),
    conf: withArguments ? conf : withoutScheduledArguments(conf),
    active_queues: told("active_queues"),
    registered: told("registered"),
    active: withArguments ? active : withoutArguments(active),
  };
}

function processPart(host: Host, { node, process, environment, children }: Details): ProcessPart {
  return {
    pid: process.pid,
    node,
    command: maskedWords(argvOf(host, process.pid)),
    resident_bytes: residentBytes(host.proc, process.pid),
    children: children.length,
    environment: environment === null ? null : chosen(environment),
  };
}

/** The report's own field names stay, even when a password has the same text. */
function scrubbed(report: Report, hide: Hide): Report {
  const within = <Part extends object>(part: Part) =>
    Object.fromEntries(Object.entries(part).map(([name, value]) => [name, scrub(value, hide)])) as Part;
  const nodes = Object.entries(report.nodes).map(([node, part]) => [hide(node), within(part)] as const);
  return {
    ...within(report),
    probe: within(report.probe),
    nodes: Object.fromEntries(nodes),
    processes: report.processes.map(within),
  };
}

async function infoOf({ send }: Pick<Session, "send">): Promise<Report["broker"]> {
  const sent = await send(SECTIONS.map((section) => ["INFO", section] as const));
  if (!sent.ok) return null;
  return Object.fromEntries(
    SECTIONS.map((section, position) => {
      const reply = sent.value[position];
      return [section, Object.fromEntries(infoFields(reply?.ok ? asText(reply.value) : ""))] as const;
    }),
  );
}

function argvOf({ proc }: Host, pid: number): readonly string[] {
  const text = proc.read(`/proc/${pid}/cmdline`);
  return text.ok ? text.value.split("\0").filter((word) => word !== "") : [];
}

function chosen(environment: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...environment]
      .filter(([name]) => OF_INTEREST.test(name))
      .map(([name, value]) => [name, maskedVariable(name, value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The lines above the settings. The settings would only repeat `conf` (celery/app/utils.py `bugreport`). */
function versionLines(text: string | null): string | null {
  if (text === null) return null;
  const lines = text.trim().split("\n");
  const end = lines.findIndex((line) => line.trim() === "" || /^\w+: |^'/.test(line));
  return lines.slice(0, end === -1 ? undefined : end).join("\n");
}

function kernelOf({ proc }: Host): string | null {
  const version = proc.read("/proc/sys/kernel/osrelease");
  return version.ok ? version.value.trim() : null;
}
