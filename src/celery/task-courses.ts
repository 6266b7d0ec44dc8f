import type { KnownLines, LineKind } from "./line-kinds.ts";

/** What many lines of a log tell about tasks. Each single line is normal. */
interface Courses {
  /** Tasks that were received so often that they probably killed their own children. Null: there was no such task. */
  readonly again: { readonly deliveries: number; readonly words: string } | null;
  /** Retries of tasks that never succeeded. */
  readonly retried: Course | null;
  /** Tasks that were discarded before they began, although they were not revoked. */
  readonly discarded: Course | null;
}

interface Course {
  readonly count: number;
  readonly words: string;
}

/** Lines of celery/worker/strategy.py, celery/app/trace.py, celery/worker/request.py and celery/worker/control.py. */
const RECEIVED = /Task ([\w.:-]{1,200}\[[\w-]{1,100}\]) received/g;
const RETRIED = /Task ([\w.:-]{1,200})(\[[\w-]{1,100}\]) (retry: Retry in \d{1,10}s)/g;
const SUCCEEDED = /Task ([\w.:-]{1,200})(\[[\w-]{1,100}\]) succeeded in /g;
const DISCARDED = /Discarding revoked task: ([\w.:-]{1,200}\[([\w-]{1,100})\])/g;
const FLAGGED = /Tasks flagged as revoked: ([^\n]{1,2000})/g;

/** A task that was received this often has probably killed a child each time before. */
const AGAIN = 3;

/** Fewer retries or expired tasks than this are normal. A smaller share than `OFTEN` is normal too. */
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

/** Deaths of children that a single task may have caused. */
const DEATHS: readonly LineKind[] = ["child-killed", "child-crashed", "child-exited"];

/** Adds what only many lines show: a task kills child after child, a task never succeeds, or many tasks expire. */
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
