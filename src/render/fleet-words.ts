import type { FleetVerdict } from "../fleet/fleet-view.ts";
import { brokerStatement, type Statement } from "./broker-words.ts";
import { amount, seconds } from "./speech.ts";

/** The sentence about a watched node, without its name: what was seen, and what to do. */
export function fleetStatement(verdict: FleetVerdict): Statement {
  if ("seen" in verdict) return verdict.seen;
  switch (verdict.reason) {
    case "alive":
      return { fact: "it is heard or answers, and its tasks go on", hint: null };
    case "busy":
      return {
        fact: `silent for ${seconds(verdict.silentS)}, less than the ${seconds(verdict.graceS)} grace`,
        hint: null,
      };
    case "hung":
      return {
        fact: `silent for ${seconds(verdict.silentS)}, longer than the ${seconds(verdict.graceS)} grace`,
        hint: "restart it; if its tasks may block it for that long, raise --busy-grace",
      };
    case "deaf":
      return {
        fact: `its heartbeats come, and it has answered no ping for ${seconds(verdict.silentS)}`,
        hint: "remote control is off, or it refuses JSON (accept_content); else its control connection is dead, and a restart brings it back",
      };
    case "gone":
      return goneStatement(verdict);
    case "not-consuming":
      return idleStatement(verdict);
    case "broker-unreachable":
    case "broker-refused":
      return brokerStatement("the broker", verdict.failure);
    case "undecided":
      return undecidedStatement(verdict);
    default:
      return verdict satisfies never;
  }
}

type Of<R extends FleetVerdict["reason"]> = Exclude<Extract<FleetVerdict, { reason: R }>, { seen: unknown }>;

function idleStatement(verdict: Of<"not-consuming">): Statement {
  const { queue, waiting, forS } = verdict;
  switch (verdict.how) {
    case "cancelled":
      return {
        fact: `it answers and consumes no queue, and ${amount(waiting, "message")} ${waiting === 1 ? "waits" : "wait"} in ${queue}`,
        hint: `celery control -d ${verdict.node} add_consumer ${queue} adds it, a restart does too`,
      };
    case "stalled":
      return {
        fact:
          `it runs nothing, and ${amount(waiting, "message")} in ${queue} ` +
          `${waiting === 1 ? "has" : "have"} waited for it for ${seconds(forS)}`,
        hint: "restart it; kombu before 5.7.0 may wait forever on a dead connection",
      };
    default:
      return verdict satisfies never;
  }
}

function goneStatement({ how, forS }: Of<"gone">): Statement {
  return how === "goodbye"
    ? { fact: `it said goodbye ${seconds(forS)} ago`, hint: "start it if it should run" }
    : {
        fact: `nothing was heard of it for ${seconds(forS)}, and nobody is subscribed in its name`,
        hint: "its log and its supervisor say why it ended",
      };
}

/** In seconds. If a new node is a worker of this broker, it is heard or answers within this time. */
export const NEW_S = 10;

function undecidedStatement({ because, forS }: Of<"undecided">): Statement {
  if (because === "never-heard" && forS < NEW_S)
    return { fact: "it is new, and has had no time to answer", hint: null };
  return because === "never-heard"
    ? {
        fact: `nothing was heard of it in ${seconds(forS)}`,
        hint: "is this its full name, and is this its broker?",
      }
    : { fact: `it was not heard since the broker came back ${seconds(forS)} ago`, hint: null };
}
