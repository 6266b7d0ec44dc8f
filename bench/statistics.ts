/** The middle value, or the mean of the two middle values. @throws RangeError if the list is empty */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the ranks, like R's type 7. @throws RangeError if the list is empty */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) throw new RangeError("no values have no median");
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * How many times larger our value is than the other one: the median of the pairs' ratios. So a slow moment of the
 * machine in one round does not change the result.
 *
 * @param ours values in the order of the rounds
 * @param others values of the same rounds
 */
export function medianRatio(ours: readonly number[], others: readonly number[]): number {
  if (ours.length !== others.length)
    throw new Error(`${ours.length} values and ${others.length} are no pairs`);
  return median(ours.map((value, round) => value / (others[round] ?? Number.NaN)));
}

/** The same elements in random order. */
export function shuffled<T>(elements: readonly T[]): T[] {
  return elements
    .map((element) => ({ element, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ element }) => element);
}
