import { element, set, write } from "./element.ts";
import { amount } from "./words.ts";

/** How many slots run a task: `3 of 4` above a bar. */
export function gauge(): {
  readonly root: HTMLElement;
  readonly show: (active: number | null, slots: number | null) => void;
} {
  const words = element("span", "number");
  const level = element("span", "level");
  const bar = element("span", "bar", level);
  set(bar, "aria-hidden", "true");
  return {
    root: element("span", "gauge", words, bar),
    show(active, slots) {
      const share = active === null || slots === null || slots === 0 ? 0 : Math.min(active / slots, 1);
      const of = slots === null ? "" : ` of ${amount(slots)}`;
      write(words, active === null ? "–" : `${amount(active)}${of}`);
      bar.hidden = active === null || slots === null;
      level.style.setProperty("width", `${(share * 100).toFixed(0)}%`);
    },
  };
}
