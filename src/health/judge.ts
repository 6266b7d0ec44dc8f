import type { Evidence } from "./evidence.ts";
import { judgeBroker, judgeNode } from "./judge-node.ts";
import { judgeWork } from "./judge-work.ts";
import { type Judgement, open, type Rules, undecided } from "./judgement.ts";
import { REASONS, type Verdict } from "./verdict.ts";

/** Judges the evidence so far; pure. `open` means that more time could show more. */
export function judge(evidence: Evidence, rules: Rules): Judgement {
  const judgements = judgeAll(evidence, rules);
  const verdicts = judgements.filter((judgement) => judgement.status !== "open");
  const worst = combine(verdicts, rules);
  // If a restart would help one worker, we do not wait for the others.
  if (worst.status === "unhealthy") return worst;
  return judgements.find(({ status }) => status === "open") ?? withWork(worst, evidence, rules);
}

/** The verdict when there is no more time. What is open becomes undecided. */
export function conclude(evidence: Evidence, rules: Rules): Verdict {
  const verdicts = judgeAll(evidence, rules).map((judgement, position) => {
    if (judgement.status !== "open") return judgement;
    const { node, process } = evidence.nodes[position] ?? { node: "", process: null };
    const pid = process?.kind === "seen" ? process.pid : null;
    const unfinished = { kind: "unfinished", node, pid, wanted: judgement.wanted } as const;
    return judgeBroker(evidence.asking) ?? undecided(unfinished);
  });
  return withWork(combine(verdicts, rules), evidence, rules);
}

/** Queues and tasks count only if the workers themselves are healthy. */
function withWork(verdict: Verdict, evidence: Evidence, rules: Rules): Verdict {
  return (verdict.status === "healthy" ? judgeWork(evidence, rules) : null) ?? verdict;
}

function judgeAll(evidence: Evidence, rules: Rules): readonly Judgement[] {
  return rules.asked.kind === "any"
    ? [judgeAny(evidence, rules.asked.atLeast)]
    : evidence.nodes.map((node) => judgeNode(node, evidence, rules));
}

function judgeAny({ asking }: Evidence, atLeast: number): Judgement {
  if (asking.kind !== "asked") return judgeBroker(asking) ?? open("pong");
  const { pongs } = asking;
  if (pongs.length >= atLeast) return { status: "healthy", reason: "alive", pongs };
  if (!asking.over) return open("pong");
  const { pings, subscribers, waitedMs, cutShort } = asking;
  return undecided({ kind: "too-few", pongs, wanted: atLeast, pings, subscribers, waitedMs, cutShort });
}

/** One verdict for all workers: the worst one. It is `alive` only if all are alive. */
function combine(verdicts: readonly Verdict[], rules: Rules): Verdict {
  const [worst] = verdicts
    .map((verdict) => withStrictness(verdict, rules.strict))
    .sort((a, b) => rank(a) - rank(b));
  if (worst === undefined) return undecided({ kind: "no-time" });
  if (worst.reason !== "alive") return worst;
  const pongs = verdicts.flatMap((verdict) => (verdict.reason === "alive" ? verdict.pongs : []));
  // Processes that share a name share a pong.
  const shared = verdicts.flatMap((verdict) => (verdict.reason === "alive" ? (verdict.shared ?? []) : []));
  return {
    ...worst,
    pongs: oneOfEach(pongs),
    ...(shared.length === 0 ? {} : { shared: oneOfEach(shared) }),
  };
}

function oneOfEach<T extends { readonly node: string }>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [one.node, one])).values()];
}

function rank({ status, reason }: Verdict): number {
  const statuses = ["unhealthy", "unknown", "healthy"] as const;
  return statuses.indexOf(status) * REASONS.length + REASONS.indexOf(reason);
}

function withStrictness(verdict: Verdict, strict: boolean): Verdict {
  const { reason } = verdict;
  return strict && (reason === "busy" || reason === "deaf") ? { ...verdict, status: "unhealthy" } : verdict;
}
