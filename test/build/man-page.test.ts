import { expect, test } from "vitest";
import { manPage } from "../../build/man-page.ts";
import { takenBy } from "../../src/cli/command-options.ts";
import { COMMAND_NAMES } from "../../src/cli/commands.ts";
import { told } from "../../src/cli/help.ts";
import { OPTION_NAMES, variableOf } from "../../src/cli/options.ts";

const page = manPage("1.2.3");
const plain = page
  .replaceAll("\\-", "-")
  .replaceAll("\\(ti", "~")
  .replaceAll(/\\f[BIR]/g, "");

test.each(COMMAND_NAMES)("has the command %s with its options", (name) => {
  expect(plain).toMatch(new RegExp(`^\\.B ${name}( |$)`, "m"));
  const options = name === "check" ? OPTION_NAMES : Object.keys(takenBy(name).options);
  const nameOf = name === "check" ? variableOf : takenBy(name).variableOf;
  for (const option of options) {
    expect(plain).toMatch(new RegExp(`^--${option}( |$)`, "m"));
    expect(plain).toContain(nameOf(option as never));
  }
});

test("has no line that roff takes for a request of its own, and no bare hyphen", () => {
  for (const line of page.split("\n")) {
    expect(line).toMatch(/^(\.(TH|SH|SS|TP|B|BR|RI|I)( |$)|[^.']|$)/);
    expect(line.replaceAll("\\-", "")).not.toMatch(/--/);
    expect(line).toMatch(/^[\x20-\x7e]*$/);
  }
});

test.each(COMMAND_NAMES)("says what exit code 0 of %s means, and shows how to call it", (name) => {
  const { success, examples } = told(name);
  const section = (title: string) => plain.split(`.SH ${title}\n`)[1]?.split("\n.SH ")[0] ?? "";
  expect(section("EXIT STATUS")).toContain(`.B ${name}\n${success}`);
  for (const [line, purpose] of examples) expect(section("EXAMPLES")).toContain(`.B ${line}\n${purpose}`);
});
