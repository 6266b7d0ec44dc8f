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

/** How each topic looks, in the order in which one explains the next: of several problems the first is to begin with. */
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

/** Receives the findings of a topic, and the names of the topics still to come. */
export type OnFound = (findings: readonly Finding[], pending: readonly string[]) => void;

/**
 * Looks into every topic at the same time.
 *
 * @param onFound is called for each topic as soon as its findings and all before them are there
 */
export async function examine(scene: Scene, onFound: OnFound): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const looking = [
    ...Object.entries<readonly Topic[]>(LOOKS).flatMap(([name, looks]) =>
      looks.map((look) => ({ name, findings: look(scene) })),
    ),
    // It observes like the others, and is the last to end.
    { name: "broker", findings: brokerStill(scene) },
  ];
  for (const [position, { findings: awaited }] of looking.entries()) {
    const findings = await awaited;
    onFound(findings, [...new Set(looking.slice(position + 1).map(({ name }) => name))]);
    found.push(...findings);
  }
  // Not before all has been asked.
  const unread = await answers(scene);
  onFound(unread, []);
  return [...found, ...unread];
}
