import type { BrokerFailure } from "../broker/failure.ts";
import { sharedKey } from "../broker/keys.ts";
import type { Found } from "../broker/search.ts";
import type { Deadline } from "../deadline.ts";
import { namesOf, type Target } from "../discovery/targets.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { closeLines, type Lines, openLines } from "../session/lines.ts";
import { haltOf } from "../worker/halt.ts";
import { examine } from "../worker/process.ts";
import { viaOf } from "./ask.ts";
import type { Asking, NotTaken, SharedLife } from "./evidence.ts";
import type { CheckPlan } from "./plan.ts";
import { brokerTimeMs, decodeShared, type SharedVerdict } from "./shared-verdict.ts";

/** A `serve` has shared that all nodes are alive, or the reason why its words are not accepted. */
export type Shared =
  Extract<Asking, { kind: "shared" }> | { readonly kind: "not-taken"; readonly why: NotTaken };

/** Connects. With `--accept-shared` it also reads what a `serve` has shared about the nodes. */
export async function openAndRead(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
): Promise<Outcome<{ readonly lines: Lines; readonly shared: Shared }, BrokerFailure>> {
  const lines = await openLines(plan, host, deadline);
  if (!lines.ok) return lines;
  const shared = await readShared(plan, host, deadline, lines.value.read);
  if (shared.ok) return success({ lines: lines.value, shared: shared.value });
  closeLines(lines.value);
  if (shared.problem.kind !== "refused") return shared;
  // A field of many megabytes breaks the connection and is not a verdict. So the worker is asked.
  const again = await openLines(plan, host, deadline);
  if (!again.ok) return again;
  return success({ lines: again.value, shared: refused(shared.problem.detail) });
}

/** Sends one write, for the broker's time and for one field of each name. */
async function readShared(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  read: Found,
): Promise<Outcome<Shared, BrokerFailure>> {
  const ages = new Map(plan.targets.map((target) => [target, runsForMs(target, plan, host)]));
  for (const [{ node }, ageMs] of ages)
    if (ageMs === null) return success(notTaken({ because: "process", node }));
  const key = sharedKey(read.target.db, plan.naming);
  const names = [...new Set(plan.targets.flatMap(namesOf))];
  const sent = await read.channel.send(
    [["TIME"], ...names.map((name) => ["HGET", key, name] as const)],
    deadline.atMost(plan.connectTimeout),
  );
  if (!sent.ok) return sent;
  const refusal = sent.value.find((reply) => !reply.ok);
  if (refusal?.ok === false) return success(refused(refusal.error));
  const [time, ...fields] = sent.value.map((reply) => (reply.ok ? reply.value : null));
  const nowMs = brokerTimeMs(time);
  if (nowMs === null) return success(refused("TIME was not answered with a time"));
  const texts = new Map(names.map((name, position) => [name, fields[position]]));
  const lives: SharedLife[] = [];
  for (const [target, ageMs] of ages) {
    const manner = { key, nowMs, mostMs: plan.acceptShared ?? 0, runsMs: ageMs ?? 0 };
    const life = lifeOf(target, texts, manner);
    if ("because" in life) return success(notTaken(life));
    lives.push(life);
  }
  return success({ kind: "shared", via: viaOf(read, plan.route.channel), lives });
}

/**
 * How many milliseconds the node's process has run, if it should be in sight here. Null: it is not seen to run. Then
 * the node is examined, whatever was shared about it.
 */
function runsForMs({ worker }: Target, { place }: CheckPlan, { proc }: Host): number | null {
  const isExpected = place.kind === "in-sight" || place.name === "beside";
  if (worker === null) return isExpected ? null : Infinity;
  const look = examine(proc, worker.pid, worker.startTicks);
  return look?.state === "running" && haltOf(look) === null ? look.ageMs : null;
}

interface Manner {
  readonly key: string;
  readonly nowMs: number;
  /** The greatest accepted age, in milliseconds. */
  readonly mostMs: number;
  readonly runsMs: number;
}

/** After a failover, the clock of the new broker may be behind by this much, in milliseconds. */
const AHEAD_MS = 1_000;

function lifeOf(
  target: Target,
  texts: ReadonlyMap<string, unknown>,
  { key, nowMs, mostMs, runsMs }: Manner,
): SharedLife | NotTaken {
  const found = namesOf(target).filter((name) => (texts.get(name) ?? null) !== null);
  const [node] = found;
  if (node === undefined) return { because: "missing", node: target.node, key };
  const verdict: SharedVerdict | null = decodeShared(texts.get(node));
  const agedMs = verdict === null ? -Infinity : nowMs - verdict.atMs;
  if (verdict === null || agedMs < -AHEAD_MS) return { because: "damaged", node, key };
  const { status, reason, host, version } = verdict;
  const ageS = Math.max(0, agedMs) / 1_000;
  if (agedMs > mostMs) return { because: "old", node, ageS };
  if (status !== "healthy" || reason !== "alive") return { because: "not-alive", node, reason, host };
  if (agedMs > runsMs) return { because: "earlier-process", node, ageS };
  return { node, ageS, host, version };
}

function notTaken(why: NotTaken): Shared {
  return { kind: "not-taken", why };
}

function refused(detail: string): Shared {
  return notTaken({ because: "refused", detail });
}
