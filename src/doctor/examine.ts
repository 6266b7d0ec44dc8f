import type { Finding, Topics } from "./finding.ts";
import type { Scene, Topic } from "./scene.ts";
import { beat } from "./topics/beat.ts";
import { broker, brokerStill } from "./topics/broker.ts";
import { flower } from "./topics/flower.ts";
import { log } from "./topics/log.ts";
import { processes } from "./topics/process.ts";
import { queues } from "./topics/queues.ts";
import { results } from "./topics/results.ts";
import { settings } from "./topics/settings.ts";
import { tasks } from "./topics/tasks.ts";
import { answers, siblings, worker } from "./topics/worker.ts";

/** The looks of each topic. If one topic explains another, it comes first: users start with the first problem. */
const LOOKS: { readonly [T in keyof Topics]: readonly Topic[] } = {
  broker: [broker],
  worker: [worker, siblings],
  settings: [settings],
  beat: [beat],
  queues: [queues],
  tasks: [tasks],
  processes: [processes],
  log: [log],
  results: [results],
  flower: [flower],
};

/** Receives the findings of a topic, and the names of the topics that are not finished. */
export type OnFound = (findings: readonly Finding[], pending: readonly string[]) => void;

/**
 * Examines all topics at the same time.
 *
 * @param onFound is called for each topic, in order, as soon as its findings are known
 */
export async function examine(scene: Scene, onFound: OnFound): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const looking = [
    ...Object.entries<readonly Topic[]>(LOOKS).flatMap(([name, looks]) =>
      looks.map((look) => ({ name, findings: look(scene) })),
    ),
    // Last, because it waits until the observation is over.
    { name: "broker", findings: brokerStill(scene) },
  ];
  for (const [position, { findings: awaited }] of looking.entries()) {
    const findings = await awaited;
    onFound(findings, [...new Set(looking.slice(position + 1).map(({ name }) => name))]);
    found.push(...findings);
  }
  // Comes last, because answers that are too large can come to any question.
  const unread = await answers(scene);
  onFound(unread, []);
  return [...found, ...unread];
}
