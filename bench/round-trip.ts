import { setTimeout as pause } from "node:timers/promises";
import type { Contender } from "./contenders.ts";
import { usual, type Bench } from "./measure.ts";
import { run } from "./run.ts";
import { median } from "./statistics.ts";

/** Where the time between a ping and its pong goes, medians in milliseconds by Redis' own clock. */
export interface RoundTrip {
  /** From the probe's PUBLISH to the worker's LPUSH. */
  readonly workerMs: number;
  /** From the worker's LPUSH to the LRANGE with which the probe sees it. */
  readonly ownMs: number;
  /** How often a probe has looked. */
  readonly looks: number;
}

/** Asks so often. */
const TURNS = 40;

/** MONITOR's lines come on a connection of their own, later than the replies. */
const SETTLED_MS = 20;

/** Tells the worker's part of a round trip from the probe's, by what MONITOR shows of each. */
export async function measureRoundTrip(bench: Bench, probe: Contender): Promise<RoundTrip> {
  const client = bench.server.client();
  const monitor = await client.monitor();
  const seen: { readonly name: string; readonly ms: number }[] = [];
  monitor.on("monitor", (time: string, [name = "", key = ""]: string[]) => {
    if (key.endsWith(".pidbox")) seen.push({ name: name.toUpperCase(), ms: Number(time) * 1_000 });
  });
  const turns: RoundTrip[] = [];
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      await pause(SETTLED_MS);
      seen.length = 0;
      await run(bench.container, bench.launcher, probe.command(usual(bench)));
      await pause(SETTLED_MS);
      turns.push(roundTripIn(seen));
    }
  } finally {
    monitor.disconnect();
    client.disconnect();
  }
  const medianOf = (part: keyof RoundTrip) => median(turns.map((turn) => turn[part]));
  return { workerMs: medianOf("workerMs"), ownMs: medianOf("ownMs"), looks: medianOf("looks") };
}

/** @throws Error where the commands are not those of one ping and its pong */
export function roundTripIn(seen: readonly { readonly name: string; readonly ms: number }[]): RoundTrip {
  const at = (wanted: string, from = 0) => {
    const found = seen.findIndex(({ name }, position) => name === wanted && position >= from);
    if (found === -1) throw new Error(`no ${wanted} among ${seen.map(({ name }) => name).join(" ")}`);
    return found;
  };
  const published = at("PUBLISH");
  const answered = at("LPUSH", published);
  const noticed = at("LRANGE", answered);
  const ms = (position: number) => seen[position]?.ms ?? Number.NaN;
  return {
    workerMs: ms(answered) - ms(published),
    ownMs: ms(noticed) - ms(answered),
    looks: seen.filter(({ name }, position) => name === "LRANGE" && position > published).length,
  };
}
