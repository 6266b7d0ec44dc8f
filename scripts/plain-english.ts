// Finds sentences that a reader has to read twice.
import ts from "typescript";

export interface HardSentence {
  readonly line: number;
  readonly why: string;
  readonly sentence: string;
}

/** The most words of a sentence. Code counts as one word, and so does a number with its unit. */
const MOST_WORDS = 25;

/** Constructions that readers have to read twice, each with its replacement. */
const PLAINER: readonly (readonly [RegExp, string])[] = [
  [/\bwhoever\b/i, "name the subject"],
  [/(?:^|[.;:] )Who [a-z]+s\b(?!.*\?)(?=.*\.)/, "name the subject"],
  [/\b(?:who|what) (?:does|do|has|have|is|was) (?:not|no|none|nothing|nobody)\b/i, "name the subject"],
  [/\b(?:that|those) of\b/i, "repeat the noun"],
  [/\b(?<!so )those that\b/i, "repeat the noun"],
  [/\bsuch (?:a )?ones?\b/i, "repeat the noun"],
  [/\bones? that (?:is|are) (?:not|none)\b/i, "repeat the noun"],
  [/\b(?:is|are|was|were|has|have) none\b/i, "say what is there"],
  [/\bnobody who\b|\bnone that\b|\bnothing that\b/i, "no … that"],
  [/\bnot (?:un|in)(?:known|likely|common|usual)\b/i, "say it positively"],
  [/\bno more than a\b/i, "say it positively"],
  [/\balso (?:when|where|if|with|without)\b/i, "even when"],
  [/\bin the place of\b/i, "instead of"],
  [/\b(?:tasks?|work) in hand\b/i, "running tasks"],
  [/\bawaits?\b/i, "waits for"],
  [/\b(?:came|comes|come) about\b/i, "happened"],
  [/\bwrong of\b/i, "false alarm"],
  [/\b(?:be|is|are) missed\b/i, "missing"],
  [/\b(?:there|where|here)(?:of|in|upon)\b|\bhitherto\b|\bin so far as\b/i, "the common word"],
];

export function hardSentences(file: string, text: string): HardSentence[] {
  const blocks = file.endsWith(".md") ? blocksOfPage(text) : blocksOfSource(text);
  return blocks.flatMap(({ line, text: block }) =>
    sentencesOf(block).flatMap((sentence) => whyHard(sentence).map((why) => ({ line, why, sentence }))),
  );
}

interface Block {
  readonly line: number;
  readonly text: string;
}

function whyHard(sentence: string): string[] {
  const measured = sentence.replace(/(\d) (?:ms|s|min|h|%|[kMG]i?B)\b/g, "$1");
  const words = measured.split(/\s+/).filter((word) => /\w/.test(word)).length;
  const prose = sentence.replace(/`[^`]*`/g, "`code`");
  const plainer = PLAINER.flatMap(([pattern, instead]) => {
    const found = pattern.exec(prose)?.[0];
    return found === undefined ? [] : [`'${found}' (${instead})`];
  });
  return words > MOST_WORDS ? [`${words} words`, ...plainer] : plainer;
}

/** A semicolon ends a sentence here. Code is one word, and so is a list of code. */
function sentencesOf(block: string): string[] {
  return block
    .replace(/`[^`]*`/g, (code) => `\`${code.slice(1, -1).replace(/\W+/g, "-")}\``)
    .replace(/`[^`]*`(?:(?:,? (?:and|or)|,) `[^`]*`)+/g, "`several`")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\{@link (\w+)\}/g, "$1")
    .replace(/https?:\/\/\S+/g, "URL")
    .split(/(?<=[.!?]["')*]*)\s+|;\s|(?<=\.)$/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

/** Paragraphs, list items and cells, without code blocks. */
function blocksOfPage(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; text: string } | null = null;
  let isFenced = false;
  const close = () => {
    if (open !== null) blocks.push(open);
    open = null;
  };
  for (const [index, raw] of page.split("\n").entries()) {
    const line = index + 1;
    if (/^\s*```/.test(raw)) {
      isFenced = !isFenced;
      close();
      continue;
    }
    if (isFenced) continue;
    if (/^\s*(?:$|#)/.test(raw)) close();
    if (raw.startsWith("#")) blocks.push({ line, text: raw.replace(/^#+ /, "") });
    else if (/^\s*\|/.test(raw)) {
      close();
      for (const cell of raw.split(/(?<!\\)\|/)) blocks.push({ line, text: cell.trim() });
    } else if (raw.trim() !== "") {
      if (/^\s*(?:[*-]|\d+\.) /.test(raw)) close();
      const text = raw.trim().replace(/^(?:[*-]|\d+\.) /, "");
      if (open === null) open = { line, text };
      else open.text += ` ${text}`;
    }
  }
  close();
  return blocks;
}

/** Comments: neighbouring `//` lines are one block. */
function blocksOfSource(source: string): Block[] {
  const blocks: { line: number; text: string; endLine: number; isLine: boolean }[] = [];
  const file = ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true);
  const seen = new Set<number>();
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node) => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(source, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(source, node.end) ?? []),
    ];
    for (const { pos, end, kind } of ranges) {
      if (seen.has(pos)) continue;
      seen.add(pos);
      const isLine = kind === ts.SyntaxKind.SingleLineCommentTrivia;
      const text = source
        .slice(pos, end)
        .replace(/^\/\*+|\*+\/$/g, "")
        .replace(/^\s*(?:\/\/|\*) ?/gm, "");
      blocks.push({ line: lineOf(pos), endLine: lineOf(end), isLine, text });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  blocks.sort((one, other) => one.line - other.line);
  const joined: typeof blocks = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    if (last?.isLine === true && block.isLine && block.line === last.endLine + 1) {
      last.text += `\n${block.text}`;
      last.endLine = block.endLine;
    } else joined.push({ ...block });
  }
  return joined.flatMap(({ line, text }) =>
    text
      .split(/\n\s*\n|\n(?=\s*(?:[*-]|\d+\.|@\w+) )/)
      .map((part) => ({ line, text: part.replace(/\s+/g, " ").trim() })),
  );
}
