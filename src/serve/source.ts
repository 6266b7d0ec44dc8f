import type { FleetView } from "../fleet/fleet-view.ts";
import type { Printable } from "../render/gate.ts";

/** Where views come from: the collector, or a test. */
export interface Source {
  readonly view: () => FleetView;
  /** Calls when a look has ended; gives what ends that. */
  readonly onView: (listener: () => void) => () => void;
}

/** A text as it goes to clients, made once for each view: slow clients of one view share its bytes. */
export function oncePerView(make: (view: FleetView) => Printable): (view: FleetView) => Uint8Array {
  const made = new WeakMap<FleetView, Uint8Array>();
  return (view) => {
    const bytes = made.get(view) ?? Buffer.from(make(view));
    made.set(view, bytes);
    return bytes;
  };
}
