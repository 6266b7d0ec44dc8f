import type { FleetView } from "../fleet/fleet-view.ts";
import type { Printable } from "../render/gate.ts";

/** The source of views: the collector, or a test. */
export interface Source {
  readonly view: () => FleetView;
  /** Calls the listener when a look has ended. Returns a function that stops this. */
  readonly onView: (listener: () => void) => () => void;
}

/** A text for clients, made once for each view. Slow clients of one view share its bytes. */
export function oncePerView(make: (view: FleetView) => Printable): (view: FleetView) => Uint8Array {
  const made = new WeakMap<FleetView, Uint8Array>();
  return (view) => {
    const bytes = made.get(view) ?? Buffer.from(make(view));
    made.set(view, bytes);
    return bytes;
  };
}
