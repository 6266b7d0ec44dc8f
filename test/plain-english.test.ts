import { describe, expect, test } from "vitest";
import { hardSentences } from "../scripts/plain-english.ts";

const LONG = `A worker ${"that waits and ".repeat(8)}ends.`;

function whys(file: string, text: string): string[] {
  return hardSentences(file, text).map(({ line, why }) => `${line}: ${why}`);
}

describe("hardSentences", () => {
  test("counts the words of a sentence over the lines of its paragraph", () => {
    expect(whys("page.md", `A start.\n\n${LONG.replaceAll("and that", "and\nthat")}`)).toEqual([
      "3: 27 words",
    ]);
  });

  test("takes code, a link and a URL as a word each", () => {
    const words = "`one two three` [four five](six.md) https://seven.example/eight ".repeat(6);
    expect(whys("page.md", `${words}end.`)).toEqual([]);
  });

  test("takes items and cells as sentences, and leaves out code blocks", () => {
    const half = "one two three four five six seven eight nine ten eleven twelve thirteen";
    expect(whys("page.md", `* ${half}\n* ${half}\n\n| ${half} | ${half} |\n`)).toEqual([]);
    expect(whys("page.md", `\`\`\`text\n${LONG}\n\`\`\`\n`)).toEqual([]);
  });

  test("reads neighbouring comments of a source as one text, and no code", () => {
    const source = `// Asks the worker\n// whoever it is.\nconst whoever = "that of";\n\n/** The port is none. */\n`;
    expect(whys("source.ts", source)).toEqual([
      "1: 'whoever' (name the subject)",
      "5: 'is none' (say what is there)",
    ]);
  });

  test.each([
    ["Who asks everybody takes no broker.", "'Who asks' (name the subject)"],
    ["A node that does not fit is what is not asked.", "'what is not' (name the subject)"],
    ["Healthy also when nobody answers.", "'also when' (even when)"],
    ["It awaits the tasks in hand.", "'tasks in hand' (running tasks)|'awaits' (waits for)"],
  ])("knows '%s'", (sentence, expected) => {
    expect(whys("page.md", sentence).join("|").replaceAll("1: ", "")).toBe(expected);
  });

  test("passes plain sentences", () => {
    expect(
      whys("page.md", "`--any` ignores the workers in this container. Who answered? One worker."),
    ).toEqual([]);
  });
});
