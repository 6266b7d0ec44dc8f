import type { Pong } from "../health/evidence.ts";
import type { CheckReport } from "../health/report.ts";
import type { Gap } from "../health/verdict.ts";
import { brokerStatement, type Statement } from "./broker-words.ts";
import { amount, names, time } from "./speech.ts";

/** The verdict in words: what was seen, and what to do about it. */
export function statement({ plan, verdict }: CheckReport): Statement {
  switch (verdict.reason) {
    case "alive":
      return { fact: answeredWords(verdict.pongs), hint: twinsHint(verdict.pongs) };
    case "broker-unreachable":
    case "broker-refused":
      return brokerStatement(plan.broker.shown, verdict.failure);
    case "undecided":
      return gapStatement(verdict.gap, plan.channel, plan.broker.shown);
    default:
      return verdict satisfies never;
  }
}

function answeredWords(pongs: readonly Pong[]): string {
  const slowest = Math.max(...pongs.map(({ afterMs }) => afterMs));
  const [only] = pongs;
  const who =
    pongs.length === 1 ? only?.node : `${pongs.length} nodes (${names(pongs.map(({ node }) => node))})`;
  return `${who} answered in ${time(slowest)}`;
}

/** Two workers of one name both answer one ping: which of them is well cannot be told. */
function twinsHint(pongs: readonly Pong[]): string | null {
  const twins = pongs.filter(({ copies }) => copies > 1);
  if (twins.length === 0) return null;
  return `${names(twins.map(({ node }) => node))} answered more than once: give each worker a name of its own with -n`;
}

function gapStatement(gap: Gap, channel: string, broker: string): Statement {
  switch (gap.kind) {
    case "nobody-subscribed": {
      const consequence = gap.missing.length === 0 ? "no worker can" : `${names(gap.missing)} cannot`;
      return {
        fact: `nobody is subscribed to ${channel} on ${broker}, so ${consequence} answer`,
        hint: "is the worker running, and connected to this broker and database?",
      };
    }
    case "silent": {
      const tries = `${time(gap.waitedMs)} (${amount(gap.pings, "ping")}${gap.cutShort ? ", cut short by --deadline" : ""})`;
      const others = gap.pongs.length === 0 ? "" : `; ${names(gap.pongs.map(({ node }) => node))} answered`;
      const subscribed = `${amount(gap.subscribers, "connection")} subscribed to ${channel}`;
      return gap.missing.length === 0
        ? {
            fact: `${gap.pongs.length} of ${gap.wanted} nodes answered within ${tries}${others}; ${subscribed}`,
            hint: "start the missing workers, or lower --min-nodes",
          }
        : {
            fact: `no pong from ${names(gap.missing)} within ${tries}${others}; ${subscribed}`,
            hint: "a worker that is blocked by a task, stopped or named otherwise looks like this; the name is set with --node",
          };
    }
    case "no-time":
      return {
        fact: "the deadline was over before a ping could be sent",
        hint: "give --deadline more time",
      };
    case "interrupted":
      return { fact: `ended by ${gap.signal} before there was an answer`, hint: null };
    default:
      return gap satisfies never;
  }
}
