import { describe, expect, test } from "vitest";
import { takenByAny } from "../../src/cli/command-options.ts";
import { COMMAND_NAMES } from "../../src/cli/commands.ts";
import { GROUPS } from "../../src/cli/groups.ts";
import { groupsOf, helpText, methodLines, told } from "../../src/cli/help.ts";
import { METHODS } from "../../src/inspect/methods.ts";
import { objectionTo, probeCommandsOf } from "../probe-commands.ts";

describe.each(COMMAND_NAMES)("help of %s", (name) => {
  const text = helpText("0.1.0", name);
  const { options } = takenByAny(name);

  test("is this", () => {
    expect(text).toMatchSnapshot();
  });

  test("fits 80 columns, without a blank at an end or a word cut", () => {
    for (const line of text.split("\n")) expect(line).toMatch(/^(?=.{0,80}$)(?!.*\s$).*$/);
  });

  test("shows every option once, with its value, in its group", () => {
    const flags = [...text.matchAll(/^ {2}(--[a-z-]+)(?: (\S+))?(?= {2}|$)/gm)].map(([, flag, value]) => [
      flag,
      value,
    ]);
    const expected = groupsOf(options).flatMap(([, entries]) =>
      entries.map(([option, { argument }]) => [`--${option}`, argument ?? undefined]),
    );
    expect(flags.filter(([flag]) => flag !== "--version")).toEqual(expected);
    expect(expected).toHaveLength(Object.keys(options).length);
    for (const [group] of groupsOf(options)) expect(text).toContain(`\n\n${GROUPS[group]}:\n  --`);
  });

  test("lists the possible first words, if they are known", () => {
    const { first = [] } = told(name);
    const inOneLine = text.replaceAll(/\n(?=\w)/g, " ");
    for (const word of first === "files" ? [] : first)
      expect(inOneLine).toMatch(
        new RegExp(name === "inspect" ? `  ${word} .* show ` : ` is one of .*\\b${word}\\b`),
      );
  });

  test("has one to three examples, which the command takes", () => {
    const { examples } = told(name);
    expect([1, 2, 3]).toContain(examples.length);
    for (const [line] of examples) {
      expect(text).toContain(`\n  ${line}\n`);
      const runs = probeCommandsOf(line.replaceAll("<(", "$("));
      expect(runs).toHaveLength(1);
      expect(runs.flatMap((run) => objectionTo(run) ?? [])).toEqual([]);
    }
  });

  test.each(Object.entries(options))(
    "says in few words what --%s is",
    (_, { summary, otherwise = "", details = "" }) => {
      // A noun phrase or an imperative; what it is called elsewhere keeps its form.
      expect(summary).toMatch(/^(?:Flower |URL |[a-z-])/);
      expect(`${summary} ${otherwise}`).not.toMatch(/[a-z]\.(?: |$)|\bdefault\b|may be repeated/);
      expect(summary.length).toBeLessThanOrEqual(90);
      for (const sentence of details.split(/(?<=[.:]) /))
        expect(sentence.split(" ").length).toBeLessThanOrEqual(30);
    },
  );
});

test("only the check, which gives a verdict, says that an option makes a worker unhealthy", () => {
  for (const name of COMMAND_NAMES.filter((one) => one !== "check")) {
    const summaries = Object.values(takenByAny(name).options).map(({ summary }) => summary);
    expect(summaries.filter((summary) => /unhealthy|must (?:be alive|consume)/.test(summary))).toEqual([]);
  }
});

test("every group has an option, so that none is left over", () => {
  const used = COMMAND_NAMES.flatMap((name) => groupsOf(takenByAny(name).options).map(([group]) => group));
  expect([...new Set(used)].sort()).toEqual(Object.keys(GROUPS).sort());
});

test("the help of inspect lists every method in lines of 80 columns", () => {
  const lines = helpText("0.1.0", "inspect").split("\n");
  expect(lines).toEqual(expect.arrayContaining([...methodLines()]));
  for (const method of METHODS)
    expect(lines.filter((line) => line.startsWith(`  ${method} `))).toEqual([
      expect.stringContaining(" show "),
    ]);
  expect(Math.max(...methodLines().map(({ length }) => length))).toBeLessThanOrEqual(80);
});
