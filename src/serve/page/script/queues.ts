import { since } from "./ages.ts";
import { arrange, element, part, set, write } from "./element.ts";
import type { Queue } from "./fleet.ts";
import { queuesWorstFirst } from "./order.ts";
import { type Outlook, watchQueues } from "./outlook.ts";
import { sparkline } from "./sparkline.ts";
import { amount, count } from "./words.ts";

interface QueueItem {
  readonly root: HTMLLIElement;
  readonly show: (queue: Queue, outlook: Outlook) => void;
}

/** The queues, and whether each of them grows or shrinks. */
export interface QueuesPart {
  /** Remembers their lengths, even while nobody looks at the page. */
  readonly note: (queues: readonly Queue[], atS: number) => void;
  readonly show: (queues: readonly Queue[]) => void;
}

export function queuesPart(): QueuesPart {
  const watched = watchQueues();
  const items = new Map<string, QueueItem>();
  const list = part("queue-list");
  const nothing = part("no-queue");
  return {
    note: watched.note,
    show(queues) {
      const wanted = queuesWorstFirst(queues).map((queue) => {
        const item = items.get(queue.queue) ?? queueItem(queue.queue);
        items.set(queue.queue, item);
        item.show(queue, watched.outlook(queue));
        return item.root;
      });
      arrange(list, wanted);
      const names = new Set(queues.map(({ queue }) => queue));
      for (const name of items.keys()) if (!names.has(name)) items.delete(name);
      nothing.hidden = queues.length > 0;
    },
  };
}

function queueItem(name: string): QueueItem {
  const length = element("span", "length");
  const line = sparkline();
  const outlook = element("span", "outlook");
  const workers = element("span", "");
  const filled = since();
  const lasting = element("span", "lasting", "not empty for ", filled.root);
  const root = element(
    "li",
    "queue",
    element("h3", "", name),
    line.root,
    length,
    outlook,
    element("p", "quiet", workers, " ", lasting),
  );
  return {
    root,
    show(queue, { kind, words }) {
      set(root, "class", `queue ${kind}`);
      write(length, queue.length === null ? "–" : amount(queue.length));
      set(length, "title", queue.length === null ? null : `${count(queue.length, "message")} waiting`);
      line.show(queue.trend);
      write(outlook, words);
      write(workers, consumption(queue));
      lasting.hidden = queue.nonempty_since === null;
      if (queue.nonempty_since !== null) filled.show(queue.nonempty_since);
    },
  };
}

function consumption({ consumers, active, slots, load }: Queue): string {
  const busy = active === null || slots === null ? [] : [`${amount(active)} of ${count(slots, "slot")} busy`];
  return [
    count(consumers, "consumer"),
    ...(consumers === 0 ? [] : busy),
    ...(load === null || consumers === 0 ? [] : [`load ${amount(load)}`]),
  ].join(" · ");
}
