import type { Queue, Status, Worker } from "./fleet.ts";

/** The orders for workers, and their names on the page. */
export const SORTS = {
  worst: "Worst first",
  name: "Name",
  since: "Latest change",
  rate: "Tasks a second",
  busy: "Busiest",
} as const;
export type Sort = keyof typeof SORTS;

/** What the viewer wants to see. */
export interface Wish {
  readonly words: string;
  readonly status: Status | null;
  readonly sort: Sort;
  readonly isReversed: boolean;
}

/** Keeps the viewer's wish. Each change shows the workers again. */
export interface Chooser {
  readonly wish: () => Wish;
  readonly change: (change: Partial<Wish>) => void;
}

export const EVERYTHING: Wish = { words: "", status: null, sort: "worst", isReversed: false };

/**
 * The workers that the viewer wants to see, in the wanted order. Equal workers keep their order: the worst first, then
 * by name.
 */
export function chosen(workers: readonly Worker[], { words, status, sort, isReversed }: Wish): Worker[] {
  const wanted = words
    .toLowerCase()
    .split(" ")
    .filter((word) => word !== "");
  const found = workers.filter(
    (worker) => (status === null || worker.status === status) && wanted.every((word) => has(worker, word)),
  );
  if (sort !== "worst") found.sort(COMPARE[sort]);
  return isReversed ? found.reverse() : found;
}

/** Whether the word occurs in a worker's name, state or reason, or in the name of one of its queues. */
function has({ node, status, reason, queues }: Worker, word: string): boolean {
  return [node, status, reason, ...queues].some((text) => text.toLowerCase().includes(word));
}

const COMPARE: Record<Exclude<Sort, "worst">, (one: Worker, other: Worker) => number> = {
  name: (one, other) => one.node.localeCompare(other.node, "en", { numeric: true }),
  since: (one, other) => Date.parse(other.since) - Date.parse(one.since),
  rate: (one, other) => (other.per_second ?? -1) - (one.per_second ?? -1),
  busy: (one, other) => occupation(other) - occupation(one),
};

const occupation = ({ active, slots }: Worker) =>
  active === null ? -1 : slots === null || slots === 0 ? 0 : active / slots;

/** Queues without a consumer come first. The others stay sorted by name, so that no row moves while it is read. */
export function queuesWorstFirst(queues: readonly Queue[]): Queue[] {
  const isUnconsumed = ({ consumers, length }: Queue) => consumers === 0 && (length ?? 0) > 0;
  return [...queues.filter(isUnconsumed), ...queues.filter((queue) => !isUnconsumed(queue))];
}
