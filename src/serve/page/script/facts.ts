import { element } from "./element.ts";

/** The name of a fact and its value; null: not known. */
export type Fact = readonly [name: string, value: Node | string | null];

/** Writes a list of facts with their names. Unknown facts are left out. */
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
