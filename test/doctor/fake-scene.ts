import type { WireCommand } from "../../src/broker/turns.ts";
import { agedTasks } from "../../src/celery/tasks.ts";
import { readEach } from "../../src/pidbox/query.ts";
import { takenBy } from "../../src/cli/command-options.ts";
import { parse } from "../../src/cli/parse.ts";
import { startDeadline } from "../../src/deadline.ts";
import type { Code, Finding, FindingOf } from "../../src/doctor/finding.ts";
import type { Send } from "../../src/session/scan.ts";
import type { Scene } from "../../src/doctor/scene.ts";
import type { TellingMethod } from "../../src/session/ask-once.ts";
import type { CheckReport } from "../../src/health/report.ts";
import type { Host } from "../../src/host.ts";
import { success } from "../../src/outcome.ts";
import type { Reply } from "../../src/broker/channel.ts";
import type { Session } from "../../src/session/session.ts";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { UNKNOWN_COMMAND } from "../../src/worker/command.ts";
import { workerByPid, type WorkerProcess } from "../../src/worker/survey.ts";
import { fakeHost, ok } from "../health/fake-host.ts";
import { planned } from "../health/planned.ts";

export const NODE = "celery@web-1";

/** How long the scene is observed, in milliseconds. */
export const OBSERVED_MS = 1_000;

interface Fake {
  /** Options of `doctor`. */
  readonly args?: readonly string[];
  /** What {@link NODE} says of itself. */
  readonly told?: Partial<Record<TellingMethod, unknown>>;
  /** The processes before, and after the observation; a worker among them has the number 12. */
  readonly proc?: readonly [before: ProcFiles, after: ProcFiles];
  readonly host?: Partial<Host>;
  /** The value of a command's reply; undefined: it is refused. */
  readonly broker?: (command: WireCommand) => unknown;
  readonly epochSeconds?: number;
  /** Of the health check; by default the worker is alive. */
  readonly check?: Partial<CheckReport>;
  /** What takes the place of the scene's own. */
  readonly scene?: Partial<Scene>;
}

/** A scene for a topic, in which nothing is seen but what is given, and what was sent to the broker and the backend. */
export function fakeScene(fake: Fake): { readonly scene: Scene; readonly sent: readonly WireCommand[] } {
  const sent: WireCommand[] = [];
  const replies = (commands: readonly WireCommand[]) => {
    sent.push(...commands);
    return commands.map((command): Reply => {
      const value = fake.broker?.(command);
      return value === undefined ? { ok: false, error: `NOPERM ${command[0]}` } : ok(value);
    });
  };
  const host: Host = {
    ...fakeHost({
      argv: ["--node", NODE, "--placement", "remote"],
      epochSeconds: fake.epochSeconds ?? 1_000,
      broker: replies,
      ...procOf(fake),
    }),
    ...fake.host,
  };
  const taken = takenBy("doctor");
  const parsed = parse(["doctor", ...(fake.args ?? [])], {}, taken);
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  const plan = planned(host);
  const server = plan.broker.located;
  if (server.kind === "sentinel") throw new Error("no Sentinel here");
  const send: Send = (commands) => Promise.resolve(success(replies(commands)));
  const ask: Session["ask"] = ({ method }) => {
    const answer = fake.told?.[method as TellingMethod];
    const results = new Map(answer === undefined ? [] : [[NODE, answer]]);
    return Promise.resolve(success({ subscribers: 1, results, unread: [], overBound: [], repeated: [] }));
  };
  const observed = host.pause(OBSERVED_MS);
  const process = processIn(fake);
  const own: Scene["told"] = (method) => {
    const answer = fake.told?.[method];
    return Promise.resolve(new Map(answer === undefined ? [] : [[NODE, answer]]));
  };
  const told = fake.scene?.told ?? own;
  const scene = {
    config: parsed.value.config,
    host,
    deadline: startDeadline(60_000, host.now),
    check: { plan, verdict: { status: "healthy", reason: "alive", pongs: [] }, ...fake.check } as CheckReport,
    workers: fake.proc === undefined ? [] : [{ node: NODE, process }],
    isMeant: () => true,
    session: success({ plan, send, read: { target: server.servers[0] }, ask } as unknown as Session),
    answering: () => Promise.resolve([NODE]),
    nodes: () => Promise.resolve([NODE]),
    told,
    inHand: async (): ReturnType<Scene["inHand"]> =>
      readEach(await told("active"), (answer) => agedTasks(answer, host.epochSeconds())),
    repeated: () => Promise.resolve([]),
    versions: () => Promise.resolve(new Map([[NODE, "5.7.0"]])),
    silent: () => Promise.resolve(0),
    overBound: () => [],
    heard: () => new Map(),
    spans: () => new Map(),
    observed: () => observed,
    ...fake.scene,
  };
  return { scene: scene as unknown as Scene, sent };
}

function procOf({ proc }: Fake): { readonly proc?: (time: number) => ProcFiles } {
  if (proc === undefined) return {};
  return { proc: (time) => (time < OBSERVED_MS ? proc[0] : proc[1]) };
}

/** Where its proc has no whole process, one of which little is known. */
function processIn({ proc }: Fake): Partial<WorkerProcess> {
  const unknown = { pid: 12, startTicks: 5_000, environment: null, command: UNKNOWN_COMMAND };
  return (proc && workerByPid(proc[0], 12, "pidfile")) ?? unknown;
}

/** The only finding of a code. @throws Error where there is none, or are several */
export function only<C extends Code>(findings: readonly Finding[], code: C): FindingOf<C> {
  const [found, ...others] = findings.filter((one) => one.code === code);
  if (found === undefined || others.length > 0) throw new Error(`${code}: ${JSON.stringify(findings)}`);
  return found as FindingOf<C>;
}
