type Rgb = readonly [red: number, green: number, blue: number];

/** WCAG 2.2, 1.4.3. Required of large letters too, although they may be paler. */
const LEAST = 4.5;

/** The visible texts whose colour is too near to their background, e.g. `p.quiet "28 Nov" 3.1`. */
export function tooPale(): string[] {
  const read = colourReader();
  const pale: string[] = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode() !== null) {
    const text = texts.currentNode.textContent?.trim() ?? "";
    const owner = texts.currentNode.parentElement;
    if (
      text === "" ||
      owner === null ||
      !owner.checkVisibility() ||
      /^(?:OPTION|STYLE|SCRIPT)$/.test(owner.tagName)
    )
      continue;
    const behind = backgrounds(owner);
    const ratio = contrast(read([...behind, getComputedStyle(owner).color]), read(behind));
    if (ratio < LEAST) pale.push(`${owner.tagName}.${owner.className} "${text}" ${ratio.toFixed(2)}`);
  }
  for (const input of document.querySelectorAll("input")) {
    const behind = backgrounds(input);
    const ratio = contrast(read([...behind, getComputedStyle(input, "::placeholder").color]), read(behind));
    if (ratio < LEAST) pale.push(`placeholder ${ratio.toFixed(2)}`);
  }
  return pale;
}

/** Elements that reach over the right edge of the window, even if something cuts them off, e.g. `TD.why 412`. */
export function tooWide(): string[] {
  const elements = [
    document.documentElement,
    ...document.querySelectorAll("body, body *:not(.unseen, svg *)"),
  ];
  return elements
    .map((element) => {
      const right = element.getBoundingClientRect().left + element.scrollWidth;
      return { element, right: Math.max(right, element.getBoundingClientRect().right) };
    })
    .filter(({ element, right }) => right > innerWidth + 1 && element.checkVisibility() && isSeen(element))
    .map(({ element, right }) => `${element.tagName}.${element.className} ${Math.round(right)}`);
}

/** Whether it is meant to be seen. */
const isSeen = (element: Element) => element.closest(".unseen, thead, noscript") === null;

/** The colours behind an element, the farthest first. */
function backgrounds(element: Element): string[] {
  const found: string[] = [];
  for (let at: Element | null = element; at !== null; at = at.parentElement)
    found.unshift(getComputedStyle(at).backgroundColor);
  return found;
}

/** Lays colours in any notation over each other, as the browser does. */
function colourReader(): (layers: readonly string[]) => Rgb {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("no canvas to mix colours on");
  return (layers) => {
    context.clearRect(0, 0, 1, 1);
    for (const layer of layers) {
      context.fillStyle = layer;
      context.fillRect(0, 0, 1, 1);
    }
    const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue];
  };
}

function contrast(one: Rgb, other: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG's relative luminance. */
function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
