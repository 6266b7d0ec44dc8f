import { ratedAmong } from "../celery/tasks.ts";
import { transportsTold } from "../celery/transport-options.ts";
import { type Deliveries, lookAtUnacked } from "../session/unacked.ts";
import { type Scene, unanswered } from "./scene.ts";

/** Reads the deliveries that are not acknowledged. A string says why they cannot be seen. */
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
  /** The time of the first look, in milliseconds since the run began. */
  readonly atMs: number;
  readonly first: Deliveries;
  /** The first look again if that found nothing, or if there was no second look. */
  readonly second: Deliveries;
}

/** Reads the unacknowledged deliveries twice. A string says why they cannot be seen. */
export async function twoLooks(scene: Scene): Promise<Looks | string> {
  const atMs = scene.host.now();
  const first = await deliveriesOf(scene);
  if (typeof first === "string") return first;
  if (first.messages.length === 0) return { atMs, first, second: first };
  await scene.observed();
  const second = await deliveriesOf(scene);
  return { atMs, first, second: typeof second === "string" ? first : second };
}

/** The tasks with a rate limit, and how many of each may begin in an hour. Null: no worker said. */
export async function ratedTasks(
  scene: Scene,
  isMeant: (node: string) => boolean = () => true,
): Promise<ReadonlyMap<string, number> | null> {
  const told = [...(await scene.told("registered"))].filter(([node]) => isMeant(node));
  return told.length === 0 ? null : ratedAmong(told.map(([, answer]) => answer));
}
