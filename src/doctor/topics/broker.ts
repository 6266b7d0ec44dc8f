import { placeText } from "../../broker/url.ts";
import { label } from "../../cli/usage.ts";
import { type Finding, finding } from "../finding.ts";
import type { Topic } from "../scene.ts";

/** Memory used for more than this share of its limit is a warning. */
const FULL = 0.9;

/** The broker: which, whether it can be used, whether it has room. */
export const broker: Topic = async ({ check: { plan }, session }) => {
  const { shown, origin } = plan.broker;
  const named = { url: shown, from: label(origin) };
  if (!session.ok) {
    const facts = { ...named, failure: session.problem, server: null, upS: null };
    return [finding("broker", "problem", null, facts)];
  }
  const { send, read } = session.value;
  const sent = await send([["INFO"]]);
  if (!sent.ok) {
    const facts = { ...named, failure: sent.problem, server: null, upS: null };
    return [finding("broker", "problem", null, facts)];
  }
  const [reply] = sent.value;
  const info = fieldsOf(reply?.ok ? String(reply.value) : "");
  const server = info.get("valkey_version");
  const redis = info.get("redis_version");
  const found: Finding[] = [
    finding("broker", "ok", placeText(read.target.place), {
      ...named,
      failure: null,
      server: server !== undefined ? `Valkey ${server}` : redis !== undefined ? `Redis ${redis}` : null,
      upS: numberIn(info, "uptime_in_seconds"),
    }),
  ];
  const used = numberIn(info, "used_memory");
  if (used === null) return found;
  const limit = numberIn(info, "maxmemory") || null;
  const policy = info.get("maxmemory_policy") ?? null;
  const mayEvict = limit !== null && policy !== null && policy !== "noeviction";
  const level = limit !== null && (mayEvict || used > limit * FULL) ? "warning" : "ok";
  return [...found, finding("broker-memory", level, null, { used, limit, policy })];
};

/** The lines `name:value` of INFO. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

function numberIn(info: ReadonlyMap<string, string>, name: string): number | null {
  const value = Number(info.get(name) ?? NaN);
  return Number.isFinite(value) ? value : null;
}
