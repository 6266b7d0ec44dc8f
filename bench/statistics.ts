/** The middle of the values, or the mean of the two in the middle. @throws RangeError when there is none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the ranks, as R's type 7. @throws RangeError when there is no value */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) throw new RangeError("no values have no median");
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * How many times the other's value ours is: the median of the pairs' ratios, so that what slows a whole round down
 * falls out.
 *
 * @param ours values in the order of the rounds
 * @param others those of the same rounds
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
