import { asObject } from "../pidbox/envelope.ts";

/** What `broker_transport_options` say of messages that are delivered and not acknowledged. */
export interface Transport {
  /** Seconds. */
  readonly visibilityS: number;
  readonly isDefault: boolean;
  /** null: the worker masks its name. */
  readonly unacked: string | null;
  readonly unackedIndex: string | null;
}

/** kombu/transport/redis.py `Channel`. */
const DEFAULT: Transport = {
  visibilityS: 3_600,
  isDefault: true,
  unacked: "unacked",
  unackedIndex: "unacked_index",
};

/** By the answers to `conf`; of several the shortest timeout counts: any worker delivers again. */
export function transportOf(told: ReadonlyMap<string, unknown>): Transport {
  const all = [...told.values()].flatMap((conf): readonly Transport[] => {
    const options = asObject(asObject(conf)?.["broker_transport_options"]);
    if (options === null) return [];
    const timeout = options["visibility_timeout"];
    const isGiven = typeof timeout === "number" && timeout > 0;
    return [
      {
        visibilityS: isGiven ? timeout : DEFAULT.visibilityS,
        isDefault: !isGiven,
        unacked: nameIn(options, "unacked_key", DEFAULT.unacked),
        unackedIndex: nameIn(options, "unacked_index_key", DEFAULT.unackedIndex),
      },
    ];
  });
  return all.sort((a, b) => a.visibilityS - b.visibilityS)[0] ?? DEFAULT;
}

/** Celery masks what has KEY in its name (celery/app/utils.py `HIDDEN_SETTINGS`). */
function nameIn(
  options: Readonly<Record<string, unknown>>,
  name: string,
  usual: string | null,
): string | null {
  const value = options[name];
  if (value === undefined) return usual;
  return typeof value === "string" && !/^\*+$/.test(value) ? value : null;
}
