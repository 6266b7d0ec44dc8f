import type { BrokerFailure } from "../broker/failure.ts";
import type { Inspection } from "../inspect/inspect-nodes.ts";
import type { Method } from "../inspect/methods.ts";
import { brokerStatement } from "./broker-words.ts";
import { isRecord, type Shown, show } from "./inspect-results.ts";
import { type ConfReadings, settingsLines } from "./inspect-conf.ts";
import { statsLines } from "./inspect-stats.ts";
import { tasksLines } from "./inspect-tasks.ts";
import { absenceLine, refusalLines } from "./inspect-words.ts";
import { line } from "./gate.ts";
import { amount, names } from "./speech.ts";
import { table } from "./table.ts";

/** Further data for showing answers. */
export interface Readings {
  /** Seconds since 1970. */
  readonly nowS: number;
  /** Returns the pool in an answer to `stats`. Null: the answer does not name it. */
  readonly poolIn: (stats: unknown) => string | null;
  /** How answers to `conf` are shown. */
  readonly conf: ConfReadings;
}

/** The answers for people. */
export function inspectText(
  method: Method,
  results: ReadonlyMap<string, unknown>,
  { nowS, poolIn, conf }: Readings,
): readonly string[] {
  if (results.size === 0) return [];
  switch (method) {
    case "ping":
    case "clock":
      return table(
        ["NODE", method === "ping" ? "ANSWER" : "CLOCK"],
        [...results].map(([node, result]) => [
          node,
          show(isRecord(result) ? Object.values(result)[0] : result),
        ]),
      );
    case "active_queues":
      return table(["NODE", "QUEUE", "EXCHANGE", "ROUTING KEY"], [...results].flatMap(queueRows));
    case "active":
    case "reserved":
    case "scheduled":
    case "query_task":
      return byNode(results, (result) => tasksLines(method, result, nowS));
    case "stats":
      return byNode(results, (result) => statsLines(result, poolIn(result)));
    case "registered":
    case "revoked":
      return byNode(results, (result) => listLines(result, method === "revoked" ? "id" : "task"));
    case "report":
      return byNode(results, (result) => ({ summary: null, lines: reportLines(result) }));
    case "conf":
      return byNode(results, (result) => settingsLines(result, conf));
    default:
      return method satisfies never;
  }
}

/** Lines for stderr: missing nodes, shared names, why nothing was sent. */
export function remarks(method: Method, inspection: Inspection, channel: string): readonly string[] {
  if (inspection.kind === "refused") {
    return refusalLines(method, inspection.unsafe, inspection.safe).map(line);
  }
  const { results, absent, shared } = inspection;
  const isEmpty = results.size === 0 && absent.length === 0;
  return [
    ...(isEmpty ? [`no worker answers on ${channel}: celery-probe doctor looks for the reason`] : []),
    ...absent.map((absence) => absenceLine(absence, method)),
    ...(shared.length === 0
      ? []
      : [
          `two or more workers are named ${names(shared)}: only one answer for each name is shown; give each worker its own name with -n`,
        ]),
  ].map(line);
}

/** The line about a broker that cannot be used. */
export function brokerLine(address: string, failure: BrokerFailure): string {
  const { fact, hint } = brokerStatement(address, failure);
  return fact + (hint === null ? "" : `; ${hint}`);
}

function byNode(
  results: ReadonlyMap<string, unknown>,
  linesOf: (result: unknown) => Shown,
): readonly string[] {
  return [...results].flatMap(([node, result], position) => {
    const { summary, lines } =
      isRecord(result) && typeof result["error"] === "string"
        ? { summary: `error: ${result["error"]}`, lines: [] }
        : linesOf(result);
    const head = line(summary === null ? node : `${node}  ${summary}`);
    return [...(position === 0 ? [] : [""]), head, ...lines.map((one) => `  ${line(one)}`.trimEnd())];
  });
}

function queueRows([node, result]: readonly [string, unknown]): readonly (readonly string[])[] {
  if (!Array.isArray(result) || result.length === 0) {
    return [[node, result === null || Array.isArray(result) ? "none" : show(result), "", ""]];
  }
  return result.map((queue: unknown, position) => {
    if (!isRecord(queue)) return [position === 0 ? node : "", show(queue), "", ""];
    const { exchange } = queue;
    const by = isRecord(exchange) ? `${show(exchange["name"])} (${show(exchange["type"])})` : show(exchange);
    return [position === 0 ? node : "", show(queue["name"]), by, show(queue["routing_key"])];
  });
}

function listLines(result: unknown, noun: string): Shown {
  const list = Array.isArray(result) ? result.map((one: unknown) => show(one)).sort() : [show(result)];
  return { summary: amount(list.length, noun), lines: list };
}

function reportLines(result: unknown): readonly string[] {
  const text = isRecord(result) ? result["ok"] : result;
  return show(text).trim().split("\n");
}
