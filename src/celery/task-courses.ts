import type { KnownLines, LineKind } from "./line-kinds.ts";

/** What a worker's log tells of its tasks, over many lines of which each is the usual course of things. */
interface Courses {
  /** Tasks that came so often that their children's deaths are their own doing; null: none did. */
  readonly again: { readonly deliveries: number; readonly words: string } | null;
  /** Retries of tasks of which none has succeeded. */
  readonly retried: Course | null;
  /** Thrown away before they were begun, and nobody has said that they are revoked. */
  readonly discarded: Course | null;
}

interface Course {
  readonly count: number;
  readonly words: string;
}

/** What celery/worker/strategy.py, celery/app/trace.py, celery/worker/request.py and celery/worker/control.py write. */
const RECEIVED = /Task ([\w.:-]{1,200}\[[\w-]{1,100}\]) received/g;
const RETRIED = /Task ([\w.:-]{1,200})(\[[\w-]{1,100}\]) (retry: Retry in \d{1,10}s)/g;
const SUCCEEDED = /Task ([\w.:-]{1,200})(\[[\w-]{1,100}\]) succeeded in /g;
const DISCARDED = /Discarding revoked task: ([\w.:-]{1,200}\[([\w-]{1,100})\])/g;
const FLAGGED = /Tasks flagged as revoked: ([^\n]{1,2000})/g;

/** A task that comes so often has killed a child each time before. */
const AGAIN = 3;

/** Fewer retries, or expired tasks, are the usual course of things; so is a smaller share of all tasks. */
const SOME = 5;
const OFTEN = 0.1;

function coursesIn(text: string): Courses {
  const retries = [...text.matchAll(RETRIED)];
  const successes = [...text.matchAll(SUCCEEDED)];
  const well = new Set(successes.map(([, name]) => name));
  const isOver = new Set([...retries, ...successes].map(([, name = "", id = ""]) => name + id));
  const comings = new Map<string, number>();
  for (const [, task = ""] of text.matchAll(RECEIVED)) comings.set(task, (comings.get(task) ?? 0) + 1);
  const again = [...comings].filter(([task, times]) => times >= AGAIN && !isOver.has(task));
  const [task = "", times = 0] = again.at(-1) ?? [];
  const which = again.length > 1 ? `${again.length} tasks, of which ${task}` : task;
  const vain = retries.filter(([, name]) => !well.has(name));
  const [, name = "", , words = ""] = vain.at(-1) ?? [];
  return {
    again:
      again.length === 0
        ? null
        : {
            deliveries: again.reduce((sum, [, count]) => sum + count, 0),
            words: `${which} came ${times} times`,
          },
    retried: vain.length < SOME ? null : { count: vain.length, words: `${name}: ${words}` },
    discarded: discardedIn(text, successes.length),
  };
}

function discardedIn(text: string, succeeded: number): Course | null {
  const revoked = [...text.matchAll(FLAGGED)].map(([, ids = ""]) => ids).join();
  const expired = [...text.matchAll(DISCARDED)].filter(([, , id = ""]) => !revoked.includes(id));
  const isOften = expired.length >= SOME && expired.length >= (expired.length + succeeded) * OFTEN;
  return isOften
    ? { count: expired.length, words: `Discarding revoked task: ${expired.at(-1)?.[1] ?? ""}` }
    : null;
}

/** Deaths of children that one task may have caused. */
const DEATHS: readonly LineKind[] = ["child-killed", "child-crashed", "child-exited"];

/** And what only many lines tell: the same task kills child after child, none succeeds, or all have expired. */
export function withCourses(told: readonly KnownLines[], text: string): readonly KnownLines[] {
  const { again, retried, discarded } = coursesIn(text);
  const death = told.find(({ kind }) => DEATHS.includes(kind));
  const isOwn = again !== null && death !== undefined && again.deliveries * 2 >= death.count;
  const course = (kind: LineKind, its: Course | null) =>
    its === null ? [] : [{ kind, count: its.count, hasEnded: false, last: its.words }];
  return [
    ...told.map((its) =>
      isOwn && its === death ? { ...its, kind: "child-lost-again" as const, last: again.words } : its,
    ),
    ...course("retried", retried),
    ...course("discarded", discarded),
  ];
}
