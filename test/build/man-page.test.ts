import { expect, test } from "vitest";
import { manPage } from "../../build/man-page.ts";
import { takenBy } from "../../src/cli/command-options.ts";
import { COMMAND_NAMES } from "../../src/cli/commands.ts";
import { OPTION_NAMES, variableOf } from "../../src/cli/options.ts";

const page = manPage("1.2.3");
const plain = page.replaceAll("\\-", "-").replaceAll(/\\f[BIR]/g, "");

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
