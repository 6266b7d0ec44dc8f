import type { Finding } from "./finding.ts";
import type { Scene, Topic } from "./scene.ts";
import { broker } from "./topics/broker.ts";
import { worker } from "./topics/worker.ts";

/** The topics in the order in which one explains the next: of several problems the first is the one to begin with. */
const TOPICS: readonly Topic[] = [broker, worker];

/**
 * Looks into every topic at the same time.
 *
 * @param onFound is shown the findings of a topic as soon as they and all before them are there
 */
export async function examine(
  scene: Scene,
  onFound: (findings: readonly Finding[]) => void,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const looking = TOPICS.map((topic) => topic(scene));
  for (const topic of looking) {
    const findings = await topic;
    onFound(findings);
    found.push(...findings);
  }
  return found;
}
