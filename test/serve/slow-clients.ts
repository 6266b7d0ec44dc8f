import { setTimeout as wait } from "node:timers/promises";
import { got, opened } from "./raw-client.ts";

/** As many as a server holds. */
const SLOW = 64;

/**
 * Milliseconds that each of so many probes waited for its answer while {@link SLOW} slow clients hang on; the shortest
 * first. A slow client that loses its connection comes back.
 *
 * @throws Error when an answer is not a 200
 */
export async function probeTimes(port: number, probes: number): Promise<readonly number[]> {
  const slow = await Promise.all(Array.from({ length: SLOW }, () => opened(port)));
  for (const [at, socket] of slow.entries()) {
    socket.pause();
    // Heads that never end, requests whose answers nobody reads, and silence.
    if (at % 3 === 0) socket.write("GET /met");
    if (at % 3 === 1) socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20));
  }
  await wait(200);
  const times: number[] = [];
  for (let probe = 0; probe < probes; probe++) {
    const started = performance.now();
    const answer = await got(port, "/livez");
    times.push(performance.now() - started);
    if (!answer.startsWith("HTTP/1.1 200 ")) throw new Error(`a probe was answered: ${answer.slice(0, 200)}`);
    const next = slow[probe % SLOW];
    if (next?.closed === true) slow[probe % SLOW] = await opened(port);
  }
  for (const socket of slow) socket.destroy();
  return times.sort((a, b) => a - b);
}
