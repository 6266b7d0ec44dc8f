/** SGR colours of ECMA-48 in a dark terminal. */
const COLOURS: Readonly<Record<string, string>> = {
  "31": "#ff7b72",
  "32": "#7ee787",
  "33": "#e3b341",
  "36": "#79c0ff",
  "90": "#8b949e",
};

const TEXT = "#e6edf3";
const CHARACTER = { width: 8.4, height: 19 };
const MARGIN = 16;

/**
 * A picture of a terminal's content.
 *
 * @param text lines with SGR sequences, and no other control sequences
 * @param columns longer lines are wrapped, as in a terminal
 */
export function terminalSvg(text: string, columns: number): string {
  const rows = text
    .replace(/\n+$/, "")
    .split("\n")
    .flatMap((line) => wrap(styled(line), columns));
  const width = Math.ceil(columns * CHARACTER.width + 2 * MARGIN);
  const height = Math.ceil(rows.length * CHARACTER.height + 2 * MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...rows.map((row, number) => {
      const y = (MARGIN + (number + 0.75) * CHARACTER.height).toFixed(1);
      return `<text x="${MARGIN}" y="${y}" fill="${TEXT}">${row.map(spanOf).join("")}</text>`;
    }),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** Characters with the same style. */
interface Span {
  readonly text: string;
  readonly style: string;
}

/** The spans of a line. They are separated by SGR sequences. */
function styled(line: string): readonly Span[] {
  const [first = "", ...rest] = line.split("\x1b[");
  const spans: Span[] = [{ text: first, style: "" }];
  let style = "";
  for (const part of rest) {
    const [, codes = "", text = ""] = /^([\d;]*)m(.*)$/s.exec(part) ?? [];
    style = codes === "" || codes === "0" ? "" : `${style};${codes}`;
    spans.push({ text, style });
  }
  return spans.filter(({ text }) => text !== "");
}

function wrap(spans: readonly Span[], columns: number): readonly (readonly Span[])[] {
  const rows: Span[][] = [[]];
  let column = 0;
  for (const { text, style } of spans) {
    for (const character of text) {
      if (column === columns) {
        rows.push([]);
        column = 0;
      }
      column++;
      const row = rows.at(-1) ?? [];
      const last = row.at(-1);
      if (last?.style === style) row[row.length - 1] = { text: last.text + character, style };
      else row.push({ text: character, style });
    }
  }
  return rows;
}

function spanOf({ text, style }: Span): string {
  const codes = style.split(";");
  const colour = codes.map((code) => COLOURS[code]).find((one) => one !== undefined);
  const attributes = [
    colour === undefined ? "" : ` fill="${colour}"`,
    codes.includes("1") ? ' font-weight="bold"' : "",
  ].join("");
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return attributes === "" ? escaped : `<tspan${attributes}>${escaped}</tspan>`;
}
