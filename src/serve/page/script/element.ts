const SVG = "http://www.w3.org/2000/svg";

/** An element with its content. Text never becomes markup, because names come from outside. */
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

/** Writes a text if it has changed. Writing the same text again would cost a layout and the reader's selection. */
export function write(place: Element, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

/** Sets an attribute if it has changed; null removes it. */
export function set(place: Element, name: string, value: string | null): void {
  if (place.getAttribute(name) === value) return;
  if (value === null) place.removeAttribute(name);
  else place.setAttribute(name, value);
}

/** A symbol from page.html. The word beside it has the same meaning. */
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

/** An element of a drawing. Screen readers skip it. */
export function svg(tag: "svg" | "use" | "path", className: string): SVGElement {
  const made = document.createElementNS(SVG, tag);
  if (className !== "") made.setAttribute("class", className);
  if (tag === "svg") made.setAttribute("aria-hidden", "true");
  return made;
}

/**
 * Makes the wanted elements the children of a place, in their order. It moves as few as possible, because a moved
 * element loses the focus.
 */
export function arrange(place: Element, wanted: readonly Element[]): void {
  const focused = document.activeElement;
  let at = place.firstElementChild;
  for (const one of wanted) {
    // This child has moved away from its place before the others. Remove it instead of moving all the others.
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
