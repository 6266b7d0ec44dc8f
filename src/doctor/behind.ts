import { readPool } from "../celery/pool.ts";
import { hasResultPrefix } from "../celery/result-backend.ts";
import type { Subtask } from "../celery/deliveries.ts";
import type { QueueKeys } from "../session/queue-lengths.ts";
import { connectToResults } from "../session/result-server.ts";
import { awaited, subtasksIn } from "../session/subtasks.ts";
import type { deliveriesOf } from "./deliveries.ts";
import type { QueueFacts } from "./facts/queues.ts";
import { resultBackend } from "./result-backend.ts";
import type { Scene } from "./scene.ts";

/** Under other pools who sends a task subscribes to its result at once (celery/backends/redis.py `on_task_call`). */
const SUBSCRIBES_LATE: readonly (string | null)[] = ["prefork", "threads"];

/** A queue whose workers have no free slot. */
interface Held {
  readonly queue: string;
  readonly keys: QueueKeys;
  readonly nodes: readonly string[];
  readonly slots: number;
  /** The deliveries that workers may not have begun. Null: a worker that says nothing may run them. */
  readonly delivered: (() => ReturnType<typeof deliveriesOf>) | null;
}

/**
 * Whether the tasks that hold all slots of a queue's workers wait for results of tasks in this queue. A message names
 * its sender, and Redis shows who is subscribed to a result. Null: not known.
 */
export async function awaitedBehind(scene: Scene, held: Held): Promise<QueueFacts["standstill"]["behind"]> {
  const { queue, keys, nodes, slots, delivered } = held;
  const [inHand, stats] = [await scene.inHand(), await scene.told("stats")];
  const running = new Map(nodes.flatMap((node) => inHand.get(node) ?? []).map(({ id, name }) => [id, name]));
  const isLate = (node: string) => SUBSCRIBES_LATE.includes(readPool(stats.get(node))?.name ?? null);
  if (!scene.session.ok || !nodes.every(isLate)) return null;
  const waiting = await subtasksIn(scene.session.value.send, queue, keys);
  const seen = await delivered?.();
  const fetched = (typeof seen === "object" ? seen.messages : []).flatMap(({ routingKey, subtask, task }) =>
    routingKey === queue && subtask !== null && !running.has(task.id) ? [subtask] : [],
  );
  const own = [...waiting, ...fetched].filter(({ parent }) => running.has(parent));
  const parents = (some: readonly Subtask[]) => [...new Set(some.map(({ parent }) => parent))];
  if (parents(own).length < slots) return null;
  const sure = await awaitedOf(scene, own);
  if (parents(sure).length < slots) return null;
  const tasks = parents(sure).map((id) => running.get(id) ?? "");
  return { tasks: [...new Set(tasks)], subtasks: [...new Set(sure.map(({ task }) => task.name))] };
}

async function awaitedOf(scene: Scene, subtasks: readonly Subtask[]): Promise<readonly Subtask[]> {
  if (!scene.session.ok || hasResultPrefix(await scene.told("conf"))) return [];
  const { host, deadline, config } = scene;
  const { backend } = await resultBackend(scene, scene.session.value.read.target);
  const server =
    backend.kind === "redis"
      ? await connectToResults(backend.located, host, deadline, config["connect-timeout"].value)
      : null;
  if (server === null || !server.ok) return [];
  const found = await awaited(server.value.send, subtasks);
  server.value.close();
  return found;
}
