/** The middle one, or the mean of the two in the middle. @throws RangeError for none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the ranks, as R's type 7. @throws RangeError for none */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) throw new RangeError("no values");
  return below + (above - below) * (place - Math.floor(place));
}

/** What `count` events have cost each process: the use less that of a time without them. */
export function costOfEach(
  use: { readonly cpu: readonly number[]; readonly seconds: number },
  idle: { readonly cpu: readonly number[]; readonly seconds: number },
  count: number,
): readonly number[] {
  return use.cpu.map((cpu, at) => (cpu - ((idle.cpu[at] ?? 0) / idle.seconds) * use.seconds) / count);
}
