import type { Evidence } from "../health/evidence.ts";
import type { CheckPlan } from "../health/plan.ts";
import type { Gap, Unseen, Want } from "../health/verdict.ts";
import { channelOf, exchangeHint, type Statement } from "./broker-words.ts";
import { amount, brief, names, place, seconds, time } from "./speech.ts";

type Of<K extends Gap["kind"]> = Extract<Gap, { kind: K }>;

/**
 * Why the verdict is undecided, and what would help.
 *
 * In one piece: it is a table with a case for each gap.
 */
export function gapStatement(gap: Gap, plan: CheckPlan, evidence: Evidence): Statement {
  const broker = plan.broker.shown;
  const channel = channelOf(plan, evidence);
  const { asking } = evidence;
  switch (gap.kind) {
    case "too-few":
      return tooFew(gap, channel, broker);
    case "out-of-sight":
      return outOfSight(
        gap,
        asking.kind === "asked" ? ` within ${triesWords(asking)}` : "",
        channel,
        broker,
        evidence.otherExchange,
      );
    case "deaf-or-catatonic":
      return {
        fact: `${gap.node} sends heartbeats but does not answer; ${FETCHES[gap.because]} (process ${gap.pid} running)`,
        hint:
          gap.because === "held"
            ? "look for tasks with an ETA or a rate limit; if there are none, restart it"
            : gap.because === "translated"
              ? "restart it, unless its remote control is off on purpose"
              : SEE[gap.because],
      };
    case "reconnecting":
      return {
        fact:
          `${gap.node} is not connected to ${broker}` +
          (gap.brokerUpS === null ? "" : `, which has been up for ${seconds(gap.brokerUpS)}`) +
          ` (process ${gap.pid} running)`,
        hint:
          gap.brokerUpS === null
            ? "the broker's uptime would decide, but INFO is not permitted: allow +info"
            : "it may be reconnecting: kombu waits up to 30 s between two attempts",
      };
    case "importing":
      return {
        fact: `${gap.node} was started ${seconds(gap.ageMs / 1_000)} ago and has no connection to ${broker} yet (process ${gap.pid} running)`,
        hint: "--start-grace, or the orchestrator's own start period, gives it time",
      };
    case "elsewhere":
      return elsewhere(gap, plan);
    case "other-database":
      return {
        fact: `${gap.node} uses ${gap.seen.length === 1 ? "database" : "databases"} ${gap.seen.join(" and ")} of the broker, and ${broker} says ${gap.asked} (process ${gap.pid} running)`,
        hint: byItself(gap, plan) ?? `set --broker to a URL that ends in /${gap.seen[0]}`,
      };
    case "other-prefix":
      return {
        fact: `${gap.node} has ${prefixWords(gap.seen)}, and was asked with ${prefixWords(gap.asked)}`,
        hint: gap.seen === "" ? "leave --global-keyprefix out" : `set --global-keyprefix '${gap.seen}'`,
      };
    case "other-fanout-prefix":
      return {
        fact: `${gap.node} has ${fanoutWords(gap.seen)}, and was asked with ${fanoutWords(gap.asked)}`,
        hint: `set --fanout-prefix ${gap.seen === "" ? "false" : `'${gap.seen}'`}`,
      };
    case "misnamed":
      return misnamed(gap);
    case "unrecognised":
      return {
        fact: `no process here is known to be ${gap.node}, and process ${gap.pid} (${brief(gap.words)}) may be it`,
        hint: "name it with --pidfile, or run the probe as the worker's user and group, so that it sees the connections",
      };
    case "unseen":
      return {
        fact:
          `${gap.node} does not answer` +
          (gap.established === false ? " and seems not to be connected" : "") +
          `; ${FETCHES[gap.because]} (process ${gap.pid} running)`,
        hint: `its log says whether it connects; ${SEE[gap.because]}`,
      };
    case "unfinished":
      return {
        fact: `no verdict on ${gap.node}: ${UNFINISHED[gap.wanted]}`,
        hint: "give --deadline more time",
      };
    case "no-time":
      return { fact: "the deadline was over before a ping could be sent", hint: "give --deadline more time" };
    case "interrupted":
      return {
        fact: `ended by ${gap.signal} before there was an answer`,
        hint: gap.signal === "SIGTERM" ? "set --deadline below the time that the orchestrator allows" : null,
      };
    case "crashed":
      return { fact: `internal error: ${gap.detail}`, hint: "please report it" };
    default:
      return gap satisfies never;
  }
}

function elsewhere(gap: Of<"elsewhere">, plan: CheckPlan): Statement {
  const { node, pid, endpoints, brokerName } = gap;
  const broker = plan.broker.shown;
  const isUnread = plan.targets.some(({ worker }) => worker?.pid === pid && worker.environment === null);
  const unread = isUnread ? UNREAD : null;
  const other = byItself(gap, plan) ?? unread;
  if (endpoints.length === 0) {
    return {
      fact: `${node} neither fetches nor listens on ${broker}, although it is connected, perhaps for results (process ${pid} running)`,
      hint: other ?? "if its broker is another, set it with --broker",
    };
  }
  const connected = `is connected to ${names(endpoints.map(place))} (process ${pid} running)`;
  // The same port at another address: the name may have led to that address.
  const isLed = brokerName !== null && endpoints.some(({ port }) => port === brokerName.port);
  if (isLed && brokerName.isWorkersOwn) {
    const leads = brokerName.changes ? "leads in turn to" : "leads to";
    return {
      fact: `${node} does not fetch or listen on ${broker}, which ${leads} ${names(brokerName.addresses)}, and ${connected}`,
      hint: "if that name has moved permanently, restart the worker; if several servers share it, name the worker's own in its settings",
    };
  }
  return {
    fact: `${node} does not fetch or listen on ${broker}, and ${connected}`,
    hint: other ?? "if that is its broker, set it with --broker",
  };
}

/** What another user's worker was told cannot be read. */
const UNREAD =
  "its environment cannot be read and may name another broker: run the probe as the worker's user, or as root with CAP_SYS_PTRACE; or set --broker";

/** One run asks one broker. If that is another worker's broker, this worker needs a run of its own. */
function byItself(
  { node }: { readonly node: string },
  { broker: { origin }, targets }: CheckPlan,
): string | null {
  if (origin.kind !== "worker") return null;
  const owner = targets.find(({ worker }) => worker?.pid === origin.pid);
  return owner === undefined || owner.node === node
    ? null
    : `this is the broker of ${owner.node}: give each worker here a check of its own, this one with --node ${node}`;
}

const UNFINISHED: { readonly [W in Want]: string } = {
  pong: "there was no time left to wait for its answer",
  "second-look": "there was no time left to look at its process and connections twice",
  heartbeat: "there was no time left to listen for its heartbeats",
};

/** Why it is not known whether the worker fetches messages. */
const FETCHES: { readonly [U in Unseen | "held"]: string } = {
  held: "it cannot be seen whether it has stopped fetching or holds tasks for later",
  translated: "addresses are translated on the way to the broker, so its connections are unknown",
  "sockets-unreadable": "its sockets may not be read, so its connections are unknown",
  "too-many-sockets": "there are too many sockets here to read, so its connections are unknown",
  "unix-socket": "it may use a unix socket, so its connections are unknown",
  "not-asked": "the broker could not be asked for its connections",
  "client-list-refused": "the broker does not permit CLIENT LIST, so its connections are unknown",
  "address-shared": "its connections cannot be told apart from others here",
};

const SEE: { readonly [U in Unseen]: string } = {
  translated: "behind address translation (NAT, proxy, mesh) the probe sees no more",
  "sockets-unreadable": "run the probe as the worker's user and group, or as root with CAP_SYS_PTRACE",
  "too-many-sockets": "give the worker a network of its own, or the probe a longer --deadline",
  "unix-socket": "let it connect by TCP, so that its connections can be seen",
  "not-asked": "is the broker overloaded?",
  "client-list-refused": "allow the broker's user +client|list",
  "address-shared": "run the probe as the worker's user and group, or as root with CAP_SYS_PTRACE",
};

function tooFew(gap: Of<"too-few">, channel: string, broker: string): Statement {
  if (gap.subscribers === 0) {
    return {
      fact: `nobody is subscribed to ${channel} on ${broker}, so no worker can answer`,
      hint: "is a worker running, and connected to this broker and database?",
    };
  }
  const others = gap.pongs.length === 0 ? "" : `; ${names(gap.pongs.map(({ node }) => node))} answered`;
  const subscribed = `${amount(gap.subscribers, "connection")} subscribed to ${channel}`;
  return {
    fact: `${gap.pongs.length} of ${gap.wanted} nodes answered within ${triesWords(gap)}${others}; ${subscribed}`,
    hint:
      gap.wanted === 1
        ? "a worker that is blocked by its task does not answer; the probe inside its container can tell it from a dead worker"
        : "start the missing workers, or lower --min-nodes; a worker that its task blocks does not answer",
  };
}

/** How long and how often the nodes were asked. */
function triesWords(tries: {
  readonly waitedMs: number;
  readonly pings: number;
  readonly cutShort: boolean;
}): string {
  const cut = tries.cutShort ? ", cut short by --deadline" : "";
  return `${time(tries.waitedMs)} (${amount(tries.pings, "ping")}${cut})`;
}

function prefixWords(prefix: string): string {
  return prefix === "" ? "no key prefix" : `the key prefix '${prefix}'`;
}

function fanoutWords(fanoutPrefix: string): string {
  return fanoutPrefix === "" ? "no fanout prefix" : `the fanout prefix '${fanoutPrefix}'`;
}

function outOfSight(
  gap: Of<"out-of-sight">,
  tries: string,
  channel: string,
  broker: string,
  otherExchange: string | null,
): Statement {
  const heard = gap.heard
    ? ", though its heartbeats are heard"
    : gap.listened
      ? ", and no heartbeat of it is heard"
      : "";
  const silent =
    gap.subscribers === 0
      ? `nobody is subscribed to ${channel} on ${broker}, so ${gap.node} cannot answer${heard}`
      : `no pong from ${gap.node}${tries}${heard}; ${amount(gap.subscribers, "connection")} subscribed to ${channel}`;
  switch (gap.because) {
    case "remote":
      return {
        fact: `${silent}; its process is out of sight`,
        hint: otherExchange === null ? remoteHint(gap) : exchangeHint(otherExchange),
      };
    case "beside":
      return {
        fact: `${silent}; no worker process is in sight`,
        hint: 'is it running? share its PID namespace: pid: "service:worker" in Compose, shareProcessNamespace: true in Kubernetes',
      };
    case "no-proc":
      return {
        fact: `${silent}; processes cannot be seen here`,
        hint: "mount /proc without hidepid, or run the probe as the worker's user and group",
      };
    default:
      return gap.because satisfies never;
  }
}

/** A worker that is blocked by its task keeps its subscription. A dead worker has no subscription. */
function remoteHint({ subscribers, heard }: Of<"out-of-sight">): string {
  if (subscribers > 0 && heard) {
    return "does it use the database that the broker URL names? its channel does not tell; the probe inside its container sees more";
  }
  if (subscribers > 0) {
    return "run the probe inside the worker's container to tell busy from dead; the name is set with --node";
  }
  return heard
    ? "restart it, unless its remote control is off on purpose; the probe inside its container sees more"
    : "is the worker running, and connected to this broker and database? --global-keyprefix, --fanout-prefix and --control-exchange must match the workers' settings";
}

function misnamed({ node, pid, names: found }: Of<"misnamed">): Statement {
  return pid === null
    ? {
        fact: `no worker here is called ${node}; here ${found.length === 1 ? "is" : "are"} ${names(found)}`,
        hint: `it has ended, or has another name: then set --node ${found.length === 1 ? found[0] : "to one of these"}; or --placement remote if it runs elsewhere`,
      }
    : {
        fact: `process ${pid} works, and calls itself ${names(found)}, not ${node}`,
        hint: `set --node ${found[0]}`,
      };
}
