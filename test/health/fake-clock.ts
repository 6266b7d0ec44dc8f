/** A clock that runs as fast as the test. */
export interface FakeClock {
  /** In milliseconds. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** When everybody waits it is as late as the first of them waits for; who wakes does all it can before the next. */
export function fakeClock(startMs: number): FakeClock {
  let time = startMs;
  let turning = false;
  const waiting: { readonly until: number; readonly wake: () => void }[] = [];

  function turn(): void {
    waiting.sort((a, b) => a.until - b.until);
    const first = waiting.shift();
    turning = first !== undefined;
    if (first === undefined) return;
    time = first.until;
    first.wake();
    setImmediate(turn);
  }

  return {
    now: () => time,
    pause: (ms) =>
      new Promise((wake) => {
        waiting.push({ until: time + ms, wake });
        if (!turning) setImmediate(turn);
        turning = true;
      }),
  };
}
