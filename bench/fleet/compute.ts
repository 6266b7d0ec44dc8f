/** What the measurements say that one ping costs; CPU in seconds. */
export interface Costs {
  /** A worker, for a ping that it hears and is not for it. */
  readonly heard: number;
  /** A worker, for a ping that it answers. */
  readonly answered: number;
  /** Redis, for one run of the probe without the deliveries: connection, reply list, the answer, the looks at it. */
  readonly probe: number;
  /** Redis, for each subscriber that the ping is delivered to. */
  readonly delivery: number;
  /** Redis, for each answer after the first to one ping. */
  readonly answer: number;
  /** Sent by Redis for each delivery. */
  readonly bytes: number;
}

/** Who is asked how. */
export interface Regime {
  /** Workers on this Redis. */
  readonly workers: number;
  /** Each is asked once in so many seconds. */
  readonly interval: number;
  /** Workers that share a control channel. */
  readonly group: number;
  /** Workers asked in one message. */
  readonly together: number;
}

/** What a regime costs. Shares are of one core. */
export interface Load {
  /** Pings a second that each worker hears. */
  readonly heardPerSecond: number;
  readonly workerShare: number;
  readonly redisShare: number;
  readonly deliveriesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Everybody on one channel, each asked on its own: what probes in every container do. */
export function everyoneAlone(workers: number, interval: number): Regime {
  return { workers, interval, group: workers, together: 1 };
}

export function loadOf(costs: Costs, { workers, interval, group, together }: Regime): Load {
  const messages = workers / together / interval;
  const heardPerSecond = group / together / interval;
  const deliveriesPerSecond = messages * group;
  return {
    heardPerSecond,
    workerShare: (heardPerSecond - 1 / interval) * costs.heard + costs.answered / interval,
    redisShare: messages * (costs.probe + group * costs.delivery + (together - 1) * costs.answer),
    deliveriesPerSecond,
    bytesPerSecond: deliveriesPerSecond * costs.bytes,
  };
}

/**
 * The largest group in which a worker stays at or below `share`, each asked on its own; not an integer, and below 1
 * where its own answer is too much.
 */
export function workersAt(costs: Costs, share: number, interval: number): number {
  return (share * interval - costs.answered) / costs.heard + 1;
}

/** The largest fleet on one channel with which Redis stays at or below `share`, each asked on its own. */
export function fleetAt(costs: Costs, share: number, interval: number): number {
  // delivery·N² + probe·N = share·interval
  const { probe, delivery } = costs;
  return (Math.sqrt(probe ** 2 + 4 * delivery * share * interval) - probe) / (2 * delivery);
}

/** `cost = fixed + each · size`. */
export interface Line {
  readonly fixed: number;
  readonly each: number;
  /** The largest deviation of a point from the line, as a share of the point. */
  readonly worst: number;
}

/**
 * The line with the least squares of relative deviations: sizes span three powers of ten, and absolute ones would leave
 * the small without a say.
 *
 * @throws RangeError for points of fewer than two sizes
 */
export function fitLine(points: readonly { readonly size: number; readonly cost: number }[]): Line {
  const sum = (of: (size: number, cost: number) => number) =>
    points.reduce((total, { size, cost }) => total + of(size, cost) / cost ** 2, 0);
  const [weight, sizes, squares] = [sum(() => 1), sum((size) => size), sum((size) => size ** 2)];
  const [costs, products] = [sum((_size, cost) => cost), sum((size, cost) => size * cost)];
  const determinant = weight * squares - sizes ** 2;
  if (new Set(points.map(({ size }) => size)).size < 2) throw new RangeError("a line needs two sizes");
  const each = (weight * products - sizes * costs) / determinant;
  const fixed = (squares * costs - sizes * products) / determinant;
  const worst = Math.max(...points.map(({ size, cost }) => Math.abs(fixed + each * size - cost) / cost));
  return { fixed, each, worst };
}
