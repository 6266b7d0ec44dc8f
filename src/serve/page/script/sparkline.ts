import { set, svg } from "./element.ts";
import { HEIGHT, path, WIDTH } from "./path.ts";

/** The most points of a line. `serve` may keep more values. */
const MOST_POINTS = 60;

/** A small line of the last values, with a filled area below it. A screen reader reads the number beside it instead. */
export function sparkline(): {
  readonly root: SVGElement;
  readonly show: (values: readonly number[]) => void;
} {
  const root = svg("svg", "sparkline");
  root.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  root.setAttribute("preserveAspectRatio", "none");
  const area = svg("path", "area");
  const line = svg("path", "line");
  root.append(area, line);
  return {
    root,
    show(values) {
      const drawn = path(values.slice(-MOST_POINTS));
      set(line, "d", drawn);
      set(area, "d", drawn === "" ? "" : `${drawn}V${HEIGHT}H0Z`);
    },
  };
}
