import type { Place } from "../broker/url.ts";
import type { Evidence, Pong } from "../health/evidence.ts";
import type { CheckReport } from "../health/report.ts";
import type { About, Verdict } from "../health/verdict.ts";
import type { Endpoint } from "../worker/sockets.ts";
import { brokerStatement, channelOf, exchangeHint, type Statement } from "./broker-words.ts";
import { withoutPasswords } from "./gate.ts";
import { gapStatement } from "./gap-words.ts";
import { refusedHint, sharedWords } from "./node-words.ts";
import { amount, brief, names, place, seconds, sentence, time } from "./speech.ts";
import { workHints, workStatement } from "./work-words.ts";

/** The verdict in words: what was seen, and what to do about it. */
export function statement(report: CheckReport): Statement {
  const { fact, hint } = ofVerdict(report);
  const { verdict, evidence, isForgiven, plan } = report;
  const hints = [
    hint,
    ...workHints(evidence, plan.rules.work),
    evidence.stateFileProblem === null ? null : `--state-file was not written: ${evidence.stateFileProblem}`,
    verdict.status === "unknown" ? null : refusedHint(evidence.notTaken),
    isForgiven ? "--on-unknown counts it as healthy, because its process is alive" : null,
    plan.rules.strict && (verdict.reason === "busy" || verdict.reason === "deaf")
      ? "--strict counts it as unhealthy"
      : null,
  ].filter((one) => one !== null);
  return {
    fact: sentence(withoutPasswords(fact + answeredToo(verdict, evidence))),
    // A question mark already ends a hint, so no semicolon follows.
    hint: withoutPasswords(hints.join("; ").replaceAll("?; ", "? ")) || null,
  };
}

/** In one piece: it is a table with a case for each reason. */
function ofVerdict({ plan, verdict, evidence }: CheckReport): Statement {
  switch (verdict.reason) {
    case "alive":
      return verdict.shared === undefined
        ? { fact: answeredWords(verdict.pongs), hint: twinsHint(verdict.pongs) }
        : { fact: sharedWords(verdict.shared), hint: null };
    case "busy":
    case "stopping":
    case "hung":
      return silenceStatement(verdict, runningWords(verdict, evidence), plan.stateFile !== null);
    case "deaf":
      return deafStatement(verdict, channelOf(plan, evidence), evidence.otherExchange);
    case "starting":
      return {
        fact:
          `${verdict.node} was started ${seconds(verdict.ageMs / 1_000)} ago and is not connected yet, ` +
          `within the ${seconds(verdict.graceMs / 1_000)} start grace (process ${verdict.pid} running)`,
        hint: null,
      };
    case "dead":
      return deadStatement(verdict, evidence, plan.pidfile);
    case "stopped":
      return verdict.how === "frozen"
        ? {
            fact: `${verdict.node} is frozen by its cgroup (process ${verdict.pid})`,
            hint: "let it go on with docker unpause CONTAINER, or with the program that froze it",
          }
        : {
            fact: `${verdict.node} is stopped: process ${verdict.pid} was sent SIGSTOP or SIGTSTP`,
            hint: `kill -CONT ${verdict.pid} lets it go on, a restart does too`,
          };
    case "disconnected":
      if (verdict.moved !== null) {
        const { from, to } = verdict.moved;
        return {
          fact:
            `${verdict.node} is connected to ${names(from.map(place))}, and the name in ${plan.broker.shown} leads to ` +
            `${names(to)} now, which has no connection from it (process ${verdict.pid} running)`,
          hint: "restart it: it looks the name up when it connects",
        };
      }
      return {
        fact:
          `${verdict.node} has no connection to ${plan.broker.shown}, which has been up for ` +
          `${seconds(verdict.brokerUpS)} (process ${verdict.pid} running for ${seconds(verdict.ageMs / 1_000)})`,
        hint: "its log says why it does not connect; a restart may help",
      };
    case "catatonic":
      return {
        fact: `${verdict.node} ${catatonicWords(verdict)} (process ${verdict.pid} running)`,
        hint: "restart it; kombu 5.2.3 to 5.6.2 gets into this state after a lost connection or a failed control command, 5.7.0 does not",
      };
    case "not-consuming":
    case "stuck-task":
    case "backlog":
      return workStatement(verdict);
    case "broker-unreachable":
    case "broker-refused": {
      const { fact, hint } = brokerStatement(plan.broker.shown, verdict.failure);
      return { fact, hint: [hint, ...elsewhereHints({ plan, verdict, evidence })].join("; ") };
    }
    case "undecided":
      return gapStatement(verdict.gap, plan, evidence);
    default:
      return verdict satisfies never;
  }
}

/** The only node that a verdict is about. Null: it is about several nodes or none. */
export function nodeOf(verdict: Verdict): string | null {
  const about = verdict.reason === "undecided" ? verdict.gap : verdict;
  return "node" in about ? about.node : null;
}

/** Hints for a worker that may have another broker than the one that failed. */
export function elsewhereHints({
  plan: {
    broker: { located: broker },
  },
  verdict,
  evidence: { nodes },
}: Pick<CheckReport, "plan" | "verdict" | "evidence">): readonly string[] {
  // If nothing names the broker, the worker's connections have already been examined.
  if ("failure" in verdict && verdict.failure.unnamed !== undefined) return [];
  // It is not known which server the Sentinels would have named.
  if (broker.kind === "sentinel") return [];
  const asked = broker.servers.map(({ place }) => place);
  return nodes.flatMap(({ node, looks }) => {
    const connections = looks.at(-1)?.connections;
    const isUnasked = connections?.kind === "unknown" && connections.because === "not-asked";
    if (!isUnasked || connections.elsewhere.length === 0) return [];
    // The worker is connected to the asked broker. Its other connection is probably for results.
    if (connections.elsewhere.some((endpoint) => asked.some((server) => mayBe(endpoint, server)))) return [];
    return [
      `${node} is connected to ${names(connections.elsewhere.map(place))}: if that is its broker, set --broker`,
    ];
  });
}

/**
 * Whether an endpoint may be the asked server. A name, an IPv6 address or 0.0.0.0 has several forms, so only the port
 * is compared then.
 */
function mayBe(endpoint: Endpoint, asked: Place): boolean {
  if (asked.kind === "socket") return false;
  const isPlain = /^[1-9]\d*(?:\.\d+){3}$/.test(asked.host);
  return endpoint.port === asked.port && (!isPlain || endpoint.address === asked.host);
}

type Of<R extends Verdict["reason"]> = Extract<Verdict, { reason: R }>;

function answeredWords(pongs: readonly Pong[]): string {
  const slowest = Math.max(...pongs.map(({ afterMs }) => afterMs));
  const [only] = pongs;
  const who =
    pongs.length === 1 ? only?.node : `${pongs.length} nodes (${names(pongs.map(({ node }) => node))})`;
  return `${who} answered in ${time(slowest)}`;
}

/** Two workers with one name both answer the same ping, so it is not known which of them is well. */
function twinsHint(pongs: readonly Pong[]): string | null {
  const twins = pongs.filter(({ copies }) => copies > 1);
  if (twins.length === 0) return null;
  return `${names(twins.map(({ node }) => node))} answered more than once: give each worker a name of its own with -n`;
}

/** If the verdict is about one worker: which of the others answered. */
function answeredToo(verdict: Verdict, { asking, nodes }: Evidence): string {
  const about = nodeOf(verdict);
  if (about === null || asking.kind !== "asked" || nodes.length < 2) return "";
  const others = asking.pongs.map(({ node }) => node).filter((node) => node !== about);
  return others.length === 0 ? "" : `; ${names(others)} answered`;
}

function runningWords({ node, pid }: About, { nodes }: Evidence): string {
  const look = nodes.find(
    (one) => one.node === node && one.process.kind === "seen" && one.process.pid === pid,
  );
  const connections = look?.looks.findLast((one) => one.connections !== null)?.connections;
  const known = connections?.kind === "known" ? `, ${amount(connections.rows.length, "connection")}` : "";
  const cut = connections?.kind === "none" ? ", its connections closed by the broker" : "";
  const unseen = connections?.kind === "unknown" ? ", connected to the broker" : "";
  return `process ${pid} running${known}${cut}${unseen}`;
}

function catatonicWords({ active, pausedS, waiting }: Of<"catatonic">): string {
  const paused =
    pausedS === null ? "has no connection left to fetch by" : `has not fetched for ${seconds(pausedS)}`;
  if (waiting !== null) {
    const waits = `${amount(waiting, "message")} ${waiting === 1 ? "waits" : "wait"} for it`;
    return `does not answer and ${paused}, while ${waits} and no delivery is unacknowledged`;
  }
  return `sends heartbeats${active === 0 ? ", has no running task" : ""} and does not answer, and ${paused}`;
}

function silenceStatement(
  verdict: Of<"busy" | "stopping" | "hung">,
  running: string,
  hasStateFile: boolean,
): Statement {
  const { node, reason, measured, forS, graceMs } = verdict;
  const isHung = reason === "hung";
  const compared = `${isHung ? "longer than" : "less than"} the ${seconds(graceMs / 1_000)} grace`;
  if (reason === "stopping" || (isHung && verdict.isStopping))
    return stoppingStatement(verdict, compared, running);
  const tooLong = "restart it; if its tasks may block it for that long, raise --busy-grace";
  const hint = isHung ? tooLong : null;
  switch (measured) {
    case "connections":
      return { fact: `${node} silent for ${seconds(forS)}, ${compared} (${running})`, hint };
    case "state-file":
      return {
        fact: `${node} silent for ${seconds(forS)} by the state file, ${compared} (${running})`,
        hint,
      };
    case "not":
      return {
        fact: `${node} silent for an unknown time (${running})`,
        hint: hasStateFile ? null : "--state-file records since when, so that a hung worker is noticed",
      };
    default:
      return measured satisfies never;
  }
}

/** The worker's connections show that it was asked to end. */
function stoppingStatement(
  { node, reason, measured, forS }: Of<"stopping" | "hung">,
  compared: string,
  running: string,
): Statement {
  const paused =
    measured === "not" ? "no longer fetches" : `has not fetched for ${seconds(forS)}, ${compared}`;
  return reason === "hung"
    ? {
        fact: `${node} was asked to end and still runs: it no longer listens and ${paused} (${running})`,
        hint: "SIGKILL ends it; if its tasks may take that long, raise --busy-grace",
      }
    : {
        fact: `${node} was asked to end and finishes its tasks: it no longer listens and ${paused} (${running})`,
        hint: null,
      };
}

const TURNS = {
  polling: "it polls its queues",
  heartbeat: "its heartbeats are heard",
  switches: "its main thread wakes and sleeps",
  events: "its main thread waits for events",
} as const;

function deafStatement(verdict: Of<"deaf">, channel: string, otherExchange: string | null): Statement {
  const { node, pid, shownBy, subscribers } = verdict;
  const process = pid === null ? "" : ` (process ${pid} running)`;
  return subscribers === 0
    ? {
        fact: `${node} works and cannot be asked: ${TURNS[shownBy]}, and it is not subscribed to ${channel}${process}`,
        hint:
          otherExchange === null
            ? "remote control is off (worker_enable_remote_control) or elsewhere (control_exchange), or a gevent or eventlet worker has lost that connection: then a restart brings it back"
            : exchangeHint(otherExchange),
      }
    : {
        fact: `${node} works and does not answer: ${TURNS[shownBy]}${process}`,
        hint: "it refuses JSON (accept_content), or its control connection is dead: then a restart brings it back",
      };
}

function insteadWords(instead: Of<"dead">["instead"]): string {
  if (instead === null) return "";
  const name =
    instead.what === "another" ? `${brief(instead.words)}, not a worker` : INSTEAD[instead.what].name;
  return `, and process ${instead.pid} is ${name}`;
}

/** Every container of an image inherits the image's health check. */
function insteadHint(instead: Of<"dead">["instead"]): string {
  return instead === null ? "" : INSTEAD[instead.what].hint;
}

const INSTEAD = {
  beat: {
    name: "a beat",
    hint: "check a container with only a beat by celery-probe beat; if there should be a worker, ",
  },
  flower: {
    name: "Flower",
    hint: "check a container with only Flower by GET /healthcheck; if there should be a worker, ",
  },
  "left-beat": {
    name: "the beat that an ended worker (-B) has left",
    hint: "end that process before a new worker starts: two beats send each periodic task twice; ",
  },
  another: {
    hint: "is it the worker's pid file? the file outlives the worker, and the kernel uses the number again: ",
  },
} as const;

function deadStatement(
  { node, pid, how, instead }: Of<"dead">,
  { nodes }: Evidence,
  pidfile: string | null,
): Statement {
  const named = nodes.some(({ process }) => process.kind === "seen") ? "of that name " : "";
  const absence =
    pidfile === null
      ? `there is no worker process ${named}here`
      : `${brief(pidfile)} names no worker process`;
  switch (how) {
    case "none":
      return {
        fact: `${node} is not running: ${absence}${insteadWords(instead)}`,
        hint: `${insteadHint(instead)}its log says why it ended; if the worker runs elsewhere, set --placement remote`,
      };
    case "remains":
      return {
        fact: `${node} is not running: only a zombie is left here (process ${pid})`,
        hint: "its log says why it ended; process 1 of the container should be an init such as tini",
      };
    case "zombie":
      return {
        fact: `${node} has ended: process ${pid} is a zombie, as its parent has not waited for it`,
        hint: "its log says why it ended; process 1 of the container should be an init such as tini",
      };
    case "ended":
      return { fact: `${node} ended while it was asked (process ${pid})`, hint: "its log says why" };
    default:
      return how satisfies never;
  }
}
