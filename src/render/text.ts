import { label } from "../cli/usage.ts";
import type { Asking, Via } from "../health/evidence.ts";
import type { CheckReport } from "../health/report.ts";
import { nodeLines, notTakenWords, sharedWords } from "./node-words.ts";
import { names, seconds, sentence, time } from "./speech.ts";
import { statement } from "./statement.ts";
import { channelOf } from "./broker-words.ts";
import { workLines } from "./work-words.ts";

/** The report for people: one line that begins with the verdict. With `verbose` the evidence follows below it. */
export function checkText(report: CheckReport, verbose: boolean): readonly string[] {
  const { status, reason } = report.verdict;
  const { fact, hint } = statement(report);
  const line = `${status}: ${reason}: ${fact}${hint === null ? "" : `; hint: ${hint}`}`;
  return verbose ? [line, ...evidenceLines(report)] : [line];
}

type Row = readonly [name: string, value: string];

function evidenceLines({ plan, evidence, elapsedMs, unknownVariables }: CheckReport): readonly string[] {
  const rows: Row[] = [
    ["broker", `${plan.broker.shown} (from ${label(plan.broker.origin)})`],
    [
      "placement",
      plan.place.name + (plan.place.kind === "in-sight" ? ": workers' processes can be seen" : ""),
    ],
    [
      "asked",
      plan.asked.kind === "nodes" ? names(plan.asked.nodes) : `all nodes; ${plan.asked.atLeast} must answer`,
    ],
    ...(plan.writeBroker === null
      ? []
      : [["replies", `${plan.writeBroker.shown} (from ${label(plan.writeBroker.origin)})`] as const]),
    ["channel", channelOf(plan, evidence)],
    ["reply key", plan.naming.prefix + plan.replyTo],
  ];
  const { asking, nodes, brokerUpS, unacked, work, notTaken } = evidence;
  rows.push(...askingRows(asking));
  if (notTaken !== null) rows.push(["shared", notTakenWords(notTaken)]);
  for (const node of nodes) {
    const lines = nodeLines(node);
    if (lines.length > 0 && nodes.length > 1) rows.push(["node", node.node]);
    rows.push(...lines);
  }
  if (brokerUpS !== null) rows.push(["broker up", seconds(brokerUpS)]);
  if (unacked !== null) rows.push(["unacked", `${unacked} on this database`]);
  if (work !== null) rows.push(...workLines(work));
  rows.push(["time", `${time(elapsedMs)} of ${time(plan.deadline)}`]);
  const { queues, requireConsuming, maxQueueLength } = plan.rules.work;
  const isUsed = requireConsuming || maxQueueLength.some(({ queue }) => queue === null);
  if (queues.length > 0 && !isUsed)
    rows.push(["ignored", "--queue: it needs --require-consuming or --max-queue-length N"]);
  rows.push(...unknownVariables.map((name) => ["ignored", ignoredText(name)] as const));
  return rows.map(([name, value]) => `  ${`${name}:`.padEnd(12)} ${value}`);
}

function askingRows(asking: Asking): readonly Row[] {
  switch (asking.kind) {
    case "asked":
      return [
        ["server", serverWords(asking.via)],
        ["pings sent", String(asking.pings)],
        ["subscribed", String(asking.subscribers)],
        ...asking.pongs.map(({ node, afterMs }): Row => ["pong", `${node} after ${time(afterMs)}`]),
      ];
    case "broker-failed":
      return [
        ["pings sent", String(asking.pings)],
        ["failure", sentence(`${asking.failure.cause}: ${asking.failure.detail}`)],
      ];
    case "shared":
      return [
        ["server", serverWords(asking.via)],
        ["pings sent", "0"],
        ...asking.lives.map((life): Row => ["shared", `${sharedWords([life])} (${life.version})`]),
      ];
    case "no-time":
    case "interrupted":
    case "crashed":
      return [];
    default:
      return asking satisfies never;
  }
}

const TLS: { readonly [T in Via["tls"]]: string } = {
  none: "",
  verified: ", TLS",
  "not-verified": ", TLS; its certificate is not verified, so anybody could pose as this server",
};

function serverWords({ server, db, tls }: Via): string {
  return `${server}, database ${db}${TLS[tls]}`;
}

/** The message about a variable with our prefix that is not known. */
export function ignoredText(name: string): string {
  return `${name} is not an option of this program`;
}
