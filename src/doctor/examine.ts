import type { Finding } from "./finding.ts";
import type { Scene, Topic } from "./scene.ts";
import { answers } from "./topics/answers.ts";
import { beat } from "./topics/beat.ts";
import { broker, brokerStill } from "./topics/broker.ts";
import { flower } from "./topics/flower.ts";
import { log } from "./topics/log.ts";
import { processes } from "./topics/process.ts";
import { queues } from "./topics/queues.ts";
import { results } from "./topics/results.ts";
import { settings } from "./topics/settings.ts";
import { tasks } from "./topics/tasks.ts";
import { siblings, worker } from "./topics/worker.ts";

/** The topics in the order in which one explains the next: of several problems the first is the one to begin with. */
const TOPICS: Readonly<Record<string, Topic>> = {
  broker,
  worker,
  siblings,
  settings,
  beat,
  queues,
  tasks,
  processes,
  log,
  results,
  flower,
  "broker still": brokerStill,
};

/** Is shown the findings of a topic, and the names of those that are still awaited. */
export type OnFound = (findings: readonly Finding[], pending: readonly string[]) => void;

/**
 * Looks into every topic at the same time.
 *
 * @param onFound is called for each topic as soon as its findings and all before them are there
 */
export async function examine(scene: Scene, onFound: OnFound): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const names = Object.keys(TOPICS);
  const looking = Object.values(TOPICS).map((topic) => topic(scene));
  for (const [position, topic] of looking.entries()) {
    const findings = await topic;
    onFound(findings, names.slice(position + 1));
    found.push(...findings);
  }
  const unread = await answers(scene);
  onFound(unread, []);
  return [...found, ...unread];
}
