import { asNumber } from "../numbers.ts";
import { shortName, type Unacked } from "../celery/deliveries.ts";
import { registeredTasks } from "../celery/tasks.ts";
import { soonest, type TransportOptions, transportsTold } from "../celery/transport-options.ts";
import { pairsOf, readMessages } from "../session/unacked.ts";
import { type Scene, unanswered } from "./scene.ts";

/** Messages looked at, at either end. */
const LOOKED = 100;

/** Clocks differ, and kombu looks once in a hundred seconds (`unacked_restore_interval`). */
const OVERDUE_MARGIN_S = 60;

/** What is delivered and not acknowledged. */
interface Deliveries extends Pick<TransportOptions, "visibilityS" | "isDefault"> {
  readonly unacked: number;
  /** Delivered before more than the visibility timeout. */
  readonly overdue: number;
  /** Those that were read. */
  readonly messages: readonly Unacked[];
  /** Whether a worker has told its options. */
  readonly isTold: boolean;
}

/** Or why it is not seen. */
export async function deliveriesOf(scene: Scene): Promise<Deliveries | string> {
  const told = transportsTold(await scene.told("conf"), await scene.told("stats"));
  const { unackedKey, unackedIndexKey, visibilityS, isDefault } = soonest(told);
  if (unackedKey === null || unackedIndexKey === null) return "the workers mask the names of the keys";
  if (!scene.session.ok) return unanswered(scene.deadline);
  const { send } = scene.session.value;
  const { prefix } = scene.check.plan.naming;
  const [hash, index] = [prefix + unackedKey, prefix + unackedIndexKey];
  const sent = await send([
    ["ZCARD", index],
    ["ZCOUNT", index, "-inf", scene.host.epochSeconds() - visibilityS - OVERDUE_MARGIN_S],
    ["ZRANGE", index, 0, LOOKED - 1, "WITHSCORES"],
    ["ZRANGE", index, -LOOKED, -1, "WITHSCORES"],
  ]);
  if (!sent.ok) return unanswered(scene.deadline);
  const values = sent.value.flatMap((reply) => (reply.ok ? [reply.value] : []));
  if (values.length < sent.value.length) return `${index} may not be read`;
  const [card, old, oldest, newest] = values;
  const messages = await readMessages(send, hash, new Map([...pairsOf(oldest), ...pairsOf(newest)]));
  if (messages === null) return `${hash} may not be read`;
  const counts = { unacked: asNumber(card), overdue: asNumber(old) };
  return { ...counts, messages, visibilityS, isDefault, isTold: told.length > 0 };
}

/** The tasks that a worker may hold back for their rate; null: no worker said. */
export async function ratedTasks(scene: Scene): Promise<ReadonlySet<string> | null> {
  const told = await scene.told("registered");
  const tasks = [...told.values()].flatMap((answer) => [...(registeredTasks(answer)?.values() ?? [])]);
  return told.size === 0
    ? null
    : new Set(tasks.filter(({ hasRate }) => hasRate).map(({ name }) => shortName(name)));
}
