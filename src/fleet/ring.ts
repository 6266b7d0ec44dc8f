/** The last numbers of a series, as many as there is room for. Its memory never grows. */
export interface Ring {
  readonly values: Float64Array;
  /** How many numbers were ever added. */
  count: number;
}

export function startRing(room: number): Ring {
  return { values: new Float64Array(room), count: 0 };
}

export function addTo(ring: Ring, value: number): void {
  ring.values[ring.count++ % ring.values.length] = value;
}

/** The oldest first. */
export function listOf({ values, count }: Ring): readonly number[] {
  const held = Math.min(count, values.length);
  return Array.from({ length: held }, (_, at) => values[(count - held + at) % values.length] ?? 0);
}
