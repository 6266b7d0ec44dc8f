/** How the wait for a promise ended. */
export type Ending<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "late" };

/** The promise's end, or `late` after `ms` milliseconds. */
export function within<T>(ms: number, promise: Promise<T>): Promise<Ending<T>> {
  return new Promise((resolve) => {
    // Node warns on stderr if a timeout is negative.
    const timer = setTimeout(
      () => {
        resolve({ kind: "late" });
      },
      Math.max(0, ms),
    );
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve({ kind: "done", value });
      },
      (error: unknown) => {
        clearTimeout(timer);
        resolve({ kind: "failed", error });
      },
    );
  });
}
