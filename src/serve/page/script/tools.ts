import { element, icon, part, set, write } from "./element.ts";
import { STATUSES, type Status, type Worker } from "./fleet.ts";
import { type Chooser, type Sort, SORTS } from "./order.ts";
import { amount } from "./words.ts";

/**
 * The controls with which the viewer selects workers: words, a status, and a sort order for windows that are too narrow
 * for headings.
 */
export function toolsPart(chooser: Chooser): (workers: readonly Worker[]) => void {
  const { wish, change } = chooser;
  const filter = part("filter") as HTMLInputElement;
  filter.value = wish().words;
  filter.addEventListener("input", () => {
    change({ words: filter.value });
  });
  const sort = part("sort") as HTMLSelectElement;
  sort.append(...Object.entries(SORTS).map(([name, words]) => option(name, words)));
  sort.addEventListener("change", () => {
    change({ sort: sort.value as Sort, isReversed: false });
  });
  const showChoices = choicesPart(chooser);
  return (workers) => {
    part("tools").hidden = workers.length === 0;
    sort.value = wish().sort;
    showChoices(workers);
  };
}

function option(value: string, words: string): HTMLOptionElement {
  const made = element("option", "", words);
  made.value = value;
  return made;
}

/** One button for each status, with the number of its workers. Returns a function that updates the numbers. */
function choicesPart({ wish, change }: Chooser): (workers: readonly Worker[]) => void {
  const buttons = ([null, ...STATUSES] as const).map((status) => {
    const number = element("span", "number");
    const word = element("span", "", status ?? "all");
    const button = element("button", `choice ${status ?? "all"}`);
    button.type = "button";
    if (status !== null) {
      const sign = icon();
      sign.show(status);
      button.append(sign.root);
    }
    button.append(number, " ", word);
    button.addEventListener("click", () => {
      change({ status });
    });
    return { status, button, number };
  });
  part("choices").append(...buttons.map(({ button }) => button));
  return (workers) => {
    for (const { status, button, number } of buttons) {
      set(button, "aria-pressed", String(wish().status === status));
      write(number, amount(numberOf(workers, status)));
    }
  };
}

const numberOf = (workers: readonly Worker[], status: Status | null) =>
  workers.filter((worker) => status === null || worker.status === status).length;
