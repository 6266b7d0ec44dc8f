import { line, lines, ours, type Printable } from "./gate.ts";

/** A part of a document: a title, a name, and lines that are shown as they are. */
export interface Block {
  /** Our own text. */
  readonly title: string;
  /** 2: a section; 3: a part of a section. */
  readonly level: 2 | 3;
  /** The name that it is about, from outside. Null: it is about no name. */
  readonly about: string | null;
  readonly lines: readonly string[];
}

/**
 * A fenced block. The fence is longer than any row of backticks in the text, so no line of the text ends it (CommonMark
 * 4.5).
 */
export function markdownBlock({ title, level, about, lines: shown }: Block): Printable {
  const text = lines(shown);
  const fence = "`".repeat(Math.max(3, longestRow(text) + 1));
  const named = about === null ? title : `${title} ${codeSpan(about)}`;
  return ours(`\n${"#".repeat(level)} ${named}\n\n${fence}\n${text}${fence}\n`);
}

/** Text from outside in a line. Nothing in it is read as Markdown (CommonMark 6.1). */
export function codeSpan(text: string): string {
  const shown = line(text);
  const fence = "`".repeat(longestRow(shown) + 1);
  const isPadded = shown.startsWith(" ") && shown.endsWith(" ") && shown.trim() !== "";
  const gap = fence.length > 1 || isPadded || shown === "" ? " " : "";
  return `${fence}${gap}${shown}${gap}${fence}`;
}

function longestRow(text: string): number {
  return Array.from(text.matchAll(/`+/g)).reduce((longest, [row]) => Math.max(longest, row.length), 0);
}
