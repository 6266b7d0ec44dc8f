import { element } from "./element.ts";

/** The name of a fact, and what it is; null: not known. */
export type Fact = readonly [name: string, value: Node | string | null];

/** Writes a list of facts by their names. Unknown facts are left out. */
export function showFacts(list: HTMLElement, facts: readonly Fact[]): void {
  list.replaceChildren(
    ...facts.flatMap(([name, value]) =>
      value === null
        ? []
        : [
            element(
              "div",
              name === "Verdict" ? "wide" : "",
              element("dt", "", name),
              element("dd", "", value),
            ),
          ],
    ),
  );
}
