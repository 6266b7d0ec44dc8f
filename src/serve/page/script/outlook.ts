import type { Queue } from "./fleet.ts";
import { age, rate } from "./words.ts";

/** What happens to a queue if nothing changes. */
export interface Outlook {
  readonly kind: "unread" | "empty" | "unconsumed" | "watching" | "drains" | "grows" | "steady";
  readonly words: string;
}

interface Sample {
  readonly atS: number;
  readonly length: number;
}

/** A slope over less time than this means nothing. */
const LEAST_S = 8;
/** Older lengths say nothing about now. */
const WINDOW_S = 90;
/** At most one sample per second. */
const MOST_SAMPLES = 90;
const LONGEST_S = 86_400;

/**
 * Keeps the lengths of every queue over the last minute and a half. The page computes from them whether a queue grows
 * or shrinks.
 */
export function watchQueues(): {
  readonly note: (queues: readonly Queue[], atS: number) => void;
  readonly outlook: (queue: Queue) => Outlook;
} {
  let samples = new Map<string, readonly Sample[]>();
  return {
    note(queues, atS) {
      const noted = queues.map(({ queue, length }) => {
        const before = samples.get(queue) ?? [];
        if (length === null || before.at(-1)?.atS === atS) return [queue, before] as const;
        const kept = before.filter((sample) => sample.atS > atS - WINDOW_S).slice(1 - MOST_SAMPLES);
        return [queue, [...kept, { atS, length }]] as const;
      });
      samples = new Map(noted);
    },
    outlook: (queue) => outlook(queue, samples.get(queue.queue) ?? []),
  };
}

function outlook({ length, consumers }: Queue, samples: readonly Sample[]): Outlook {
  if (length === null) return { kind: "unread", words: "its length is not known" };
  if (length > 0 && consumers === 0) return { kind: "unconsumed", words: "no worker consumes it" };
  if (length === 0 && samples.every((sample) => sample.length === 0))
    return { kind: "empty", words: "empty" };
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atS - first.atS < LEAST_S)
    return { kind: "watching", words: "measuring its trend …" };
  const perS = slope(samples);
  // A change over the whole window of less than one message, or less than one percent, is noise.
  if (Math.abs(perS) * (last.atS - first.atS) < Math.max(1, length / 100))
    return { kind: "steady", words: length === 0 ? "empty" : "steady" };
  if (perS > 0) return { kind: "grows", words: `grows by ${rate(perS)}` };
  if (length === 0) return { kind: "empty", words: "empty" };
  const inS = length / -perS;
  return inS > LONGEST_S
    ? { kind: "steady", words: "shrinks, empty in more than a day" }
    : { kind: "drains", words: `empty in about ${age(inS)}` };
}

/** Messages per second, by least squares. */
function slope(samples: readonly Sample[]): number {
  const meanAt = mean(samples.map(({ atS }) => atS));
  const meanLength = mean(samples.map(({ length }) => length));
  let [together, apart] = [0, 0];
  for (const { atS, length } of samples) {
    together += (atS - meanAt) * (length - meanLength);
    apart += (atS - meanAt) ** 2;
  }
  return apart === 0 ? 0 : together / apart;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
