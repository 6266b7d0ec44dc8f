import { since } from "./ages.ts";
import { element, icon, part, set, write } from "./element.ts";
import { STATUSES, type Status } from "./fleet.ts";
import type { Headline } from "./headline.ts";

/** Colours of the icon in the browser's tab. It must be recognisable on any background. */
const TAB_COLOURS: Readonly<Record<Status, string>> = {
  healthy: "#1a7f45",
  unhealthy: "#c62828",
  unknown: "#9a6700",
};

/** The state of the fleet: in the largest letters of the page, in its tab, and as a bar. */
export function summaryPart(): (headline: Headline, counts: Readonly<Record<Status, number>> | null) => void {
  const sign = icon();
  const words = element("span", "");
  const began = since();
  const lasting = element("span", "lasting", "for ", began.root);
  part("headline").replaceChildren(sign.root, words, lasting);
  const shares = STATUSES.map((status) => ({ status, share: element("span", `share ${status}`) }));
  part("shares").append(...shares.map(({ share }) => share));
  return ({ status, sentence, detail, hint, since: at, title }, counts) => {
    set(part("summary"), "class", status ?? "waiting");
    sign.show(status ?? "waiting");
    write(words, sentence);
    write(part("detail"), detail);
    write(part("hint"), hint ?? "");
    lasting.hidden = at === null;
    if (at !== null) began.show(at);
    document.title = `${title} · celery-probe`;
    set(part("tab-icon"), "href", tabIcon(status));
    part("shares").hidden = counts === null || STATUSES.every((one) => counts[one] === 0);
    for (const { status: one, share } of shares) {
      const number = counts?.[one] ?? 0;
      share.hidden = number === 0;
      share.style.setProperty("flex-grow", String(number));
    }
  };
}

/** A circle. The worse the state, the more is cut out of it, so that it can be recognised without colour. */
function tabIcon(status: Status | null): string {
  const colour = status === null ? "#6b7280" : TAB_COLOURS[status];
  const mark =
    status === "healthy"
      ? "M4.5 8.5l2.5 2.5 4.5-5.5"
      : status === "unhealthy"
        ? "M5 5l6 6M11 5l-6 6"
        : "M8 4v5M8 11.5v.5";
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="${colour}"/><path d="${mark}" stroke="#fff" stroke-width="2" fill="none"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}
