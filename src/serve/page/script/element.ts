const SVG = "http://www.w3.org/2000/svg";

/** An element with what stands in it. Text becomes text and never markup: names are somebody else's. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...content);
  return made;
}

/** The part of page.html with this id. @throws Error if it is missing */
export function part(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`page.html has no #${id}`);
  return found;
}

/** Writes a text where it differs: an equal one would cost a layout, and a reader's selection. */
export function write(place: Element, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

/** Sets an attribute where it differs; null takes it away. */
export function set(place: Element, name: string, value: string | null): void {
  if (place.getAttribute(name) === value) return;
  if (value === null) place.removeAttribute(name);
  else place.setAttribute(name, value);
}

/** A symbol of page.html. The word beside it says the same. */
export function icon(): { readonly root: SVGElement; readonly show: (name: string) => void } {
  const root = svg("svg", "icon");
  const use = svg("use", "");
  root.append(use);
  return {
    root,
    show: (name) => {
      set(use, "href", `#icon-${name}`);
    },
  };
}

/** An element of a drawing, which screen readers pass over. */
export function svg(tag: "svg" | "use" | "path", className: string): SVGElement {
  const made = document.createElementNS(SVG, tag);
  if (className !== "") made.setAttribute("class", className);
  if (tag === "svg") made.setAttribute("aria-hidden", "true");
  return made;
}

/** Makes the children of a place those wanted, in their order, and moves as few as it can: a moved one loses the focus. */
export function arrange(place: Element, wanted: readonly Element[]): void {
  const focused = document.activeElement;
  let at = place.firstElementChild;
  for (const one of wanted) {
    // One that has left its place in front of the others: take that one away instead of moving all of these.
    if (at !== null && at !== one && at.nextElementSibling === one) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
    if (at === one) at = one.nextElementSibling;
    else place.insertBefore(one, at);
  }
  while (at !== null) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement && place.contains(focused))
    focused.focus({ preventScroll: true });
}
