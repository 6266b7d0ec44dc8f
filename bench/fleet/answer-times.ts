import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { Fleet } from "./fleet.ts";
import { Pinger } from "./pinger.ts";

/** Longer than any worker takes that is well, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Milliseconds from PUBLISH to the first worker's LPUSH, for several pings, by the times that MONITOR gives. */
export async function answerTimes(fleet: Fleet, pings: number): Promise<readonly number[]> {
  const node = fleet.workers[0]?.node ?? "";
  const list = Pinger.listOf(node);
  const client = fleet.server.client();
  const monitor = await client.monitor();
  const answered = new EventTarget();
  const times: number[] = [];
  let published = Number.NaN;
  monitor.on("monitor", (time: string, [command = "", name]: string[]) => {
    const isOurs = name === fleet.pinger.channel || name === list;
    if (!isOurs) return;
    if (/^publish$/i.test(command)) published = Number(time);
    if (!/^lpush$/i.test(command)) return;
    times.push((Number(time) - published) * 1000);
    answered.dispatchEvent(new Event("answer"));
  });
  try {
    for (let turn = 0; turn < pings; turn++) {
      const answer = once(answered, "answer", { signal: AbortSignal.timeout(PATIENCE_MS) });
      await Promise.all([fleet.pinger.ping(node), answer]);
      await pause(30);
    }
  } finally {
    monitor.disconnect();
    client.disconnect();
  }
  return times;
}
