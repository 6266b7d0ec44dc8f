import { ratedAmong } from "../celery/tasks.ts";
import { transportsTold } from "../celery/transport-options.ts";
import { type Deliveries, lookAtUnacked } from "../session/unacked.ts";
import { type Scene, unanswered } from "./scene.ts";

/** What is delivered and not acknowledged, or why it is not seen. */
export async function deliveriesOf({
  session,
  told,
  check,
  host,
  deadline,
}: Scene): Promise<Deliveries | string> {
  if (!session.ok) return unanswered(deadline);
  const transports = transportsTold(await told("conf"), await told("stats"));
  const { prefix } = check.plan.naming;
  const seen = await lookAtUnacked(session.value.send, prefix, transports, host.epochSeconds());
  if (seen === "unanswered") return unanswered(deadline);
  if (seen === "masked") return "the workers mask the names of the keys";
  return "refused" in seen ? `${seen.refused} may not be read` : seen;
}

export interface Looks {
  /** When the first was taken, in milliseconds since the run began. */
  readonly atMs: number;
  readonly first: Deliveries;
  /** The first itself, where that saw nothing, or there was no second. */
  readonly second: Deliveries;
}

/** Two looks at what is delivered, or why it is not seen. */
export async function twoLooks(scene: Scene): Promise<Looks | string> {
  const atMs = scene.host.now();
  const first = await deliveriesOf(scene);
  if (typeof first === "string") return first;
  if (first.messages.length === 0) return { atMs, first, second: first };
  await scene.observed();
  const second = await deliveriesOf(scene);
  return { atMs, first, second: typeof second === "string" ? first : second };
}

/** The tasks that a worker may hold back for their rate, and how many may begin in an hour; null: no worker said. */
export async function ratedTasks(
  scene: Scene,
  isMeant: (node: string) => boolean = () => true,
): Promise<ReadonlyMap<string, number> | null> {
  const told = [...(await scene.told("registered"))].filter(([node]) => isMeant(node));
  return told.length === 0 ? null : ratedAmong(told.map(([, answer]) => answer));
}
