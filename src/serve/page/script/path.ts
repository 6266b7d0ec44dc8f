/** The size of the drawing that contains a line. The page stretches it. */
export const [WIDTH, HEIGHT] = [100, 24] as const;

/** From the left edge to the right. Zero is at the bottom, the largest value just below the top. */
export function path(values: readonly number[]): string {
  if (values.length < 2) return "";
  const largest = Math.max(...values, Number.MIN_VALUE);
  const step = WIDTH / (values.length - 1);
  return values
    .map((value, at) => {
      const x = (at * step).toFixed(1);
      const y = (HEIGHT - 1 - (value / largest) * (HEIGHT - 3)).toFixed(1);
      return `${at === 0 ? "M" : "L"}${x} ${y}`;
    })
    .join("");
}
