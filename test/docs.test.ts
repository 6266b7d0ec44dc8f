import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { optionsPage } from "../scripts/options-page.ts";
import { allVariables, COMMAND_OPTIONS, type OtherCommand, takenBy } from "../src/cli/command-options.ts";
import { BROKER_VARIABLES, READ_VARIABLE } from "../src/cli/broker-options.ts";
import { OPTION_NAMES } from "../src/cli/options.ts";
import { METHODS, methodFacts } from "../src/inspect/methods.ts";
import { CODES } from "../src/render/findings/finding-words.ts";
import { REASONS } from "../src/health/verdict.ts";
import { METRICS } from "../src/serve/metrics.ts";
import { membersOf, PAGES, read, ROOT } from "./pages.ts";
import { fleet, HUNG, node } from "./serve/fleet.ts";
import { OWN } from "./serve/served.ts";

const OTHERS = Object.keys(COMMAND_OPTIONS) as readonly OtherCommand[];
const ALL_OPTIONS = [
  ...OPTION_NAMES,
  ...OTHERS.flatMap((command) => Object.keys(takenBy(command).options)),
] as readonly string[];

test("docs/options.md is what the table of options makes", () => {
  expect(read("docs/options.md")).toBe(optionsPage());
});

test.each(PAGES)("%s links to files that are there", (page) => {
  const targets = [...read(page).matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? "");
  const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)));
  expect(missing.filter((target) => !target.startsWith("https://"))).toEqual([]);
});

test.each(PAGES)("%s links to headings that are there", (page) => {
  const targets = [...read(page).matchAll(/\]\(([^)#:]*?\.md)?#([^)]+)\)/g)].map(
    ([, file, heading = ""]) => ({
      file: file === undefined ? page : join(dirname(page), file),
      heading,
    }),
  );
  const missing = targets.filter(
    ({ file, heading }) => existsSync(join(ROOT, file)) && !anchorsOf(read(file)).has(heading),
  );
  expect(missing).toEqual([]);
});

/** As GitHub makes them of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading.toLowerCase());
  return new Set(headings.map((heading) => heading.replaceAll(/[^\w\s-]/g, "").replaceAll(" ", "-")));
}

test.each(PAGES)("%s names only options and variables that exist", (page) => {
  const known = new Set([...ALL_OPTIONS.map((name) => `--${name}`), "--help", "--version"]);
  const lines = read(page)
    .split("\n")
    .filter((line) => line.includes("celery-probe "));
  const flags = lines.flatMap((line) => [
    ...(/celery-probe( .*)/.exec(line)?.[1] ?? "").matchAll(/ (--[a-z-]+)/g),
  ]);
  expect(flags.map(([, flag]) => flag).filter((flag) => !known.has(flag ?? ""))).toEqual([]);
  const variables = [...read(page).matchAll(/CELERY_PROBE_[A-Z_]*[A-Z]/g)].map(([name]) => name);
  expect(variables.filter((name) => !allVariables().has(name))).toEqual([]);
});

test("README.md names every variable that the broker is taken from, in order", () => {
  const quoted = BROKER_VARIABLES.map((name) => `\`${name}\``).join(", ");
  expect(read("README.md")).toContain(`\`${READ_VARIABLE}\` of its environment, its \`-b\`, or ${quoted}`);
});

test("docs/inspect.md has one row for each method, with its summary", () => {
  const [section = ""] = read("docs/inspect.md").split("\n## Settings\n");
  const rows = [...section.matchAll(/^\| `([a-z_]+)(?: ([^`]+))?` \| ([^|]+) \|/gm)];
  expect(rows.map(([, method, words, summary]) => [method, words, summary])).toEqual(
    METHODS.map((method) => {
      const { words, summary } = methodFacts(method);
      return [method, words, summary];
    }),
  );
});

test("docs/doctor.md has one section for each finding, and no other", () => {
  const sections = [...read("docs/doctor.md").matchAll(/^### `([a-z-]+)`$/gm)].map(([, code]) => code);
  expect(sections.sort()).toEqual([...CODES].sort());
});

describe("docs/reasons.md", () => {
  const page = read("docs/reasons.md");
  const sections = new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((text) => [/^`([a-z-]+)`/.exec(text)?.[1] ?? text.slice(0, 20), text] as const),
  );

  test("has one section for each reason the judge can give, and no other", () => {
    expect([...sections.keys()].sort()).toEqual([...REASONS].sort());
  });

  test.each(REASONS)(
    "tells of `%s` what was seen, what it means, what to do and which option changes it",
    (reason) => {
      const section = sections.get(reason) ?? "";
      expect(section).toMatch(/^Status `?\w+`?/m);
      expect(section).toMatch(/exit [01]/);
      for (const part of ["Seen", "Means", "Do", "Options"]) expect(section).toContain(`**${part}:**`);
    },
  );

  test("has a row for each gap of `undecided`, and no other", () => {
    const rows = [...(sections.get("undecided") ?? "").matchAll(/^\| `([a-z-]+)` \|/gm)].map(
      ([, gap]) => gap,
    );
    expect(rows.sort()).toEqual(membersOf("src/health/verdict.ts", "Gap").sort());
  });

  test("has a row for each cause of a broker's failure, and no other", () => {
    for (const [reason, type] of [
      ["broker-unreachable", "UnreachableCause"],
      ["broker-refused", "RefusedCause"],
    ] as const) {
      const rows = [...(sections.get(reason) ?? "").matchAll(/^\| `([a-z-]+)` \|/gm)].map(
        ([, cause]) => cause,
      );
      expect(rows.sort()).toEqual(membersOf("src/broker/failure.ts", type).sort());
    }
  });

  test("names only options that exist", () => {
    const named = [...page.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name);
    const foreign = ["time-limit", "pool", "concurrency", "without-heartbeat", "without-gossip"];
    const known = [...OPTION_NAMES, ...foreign, "pidfile"] as readonly string[];
    expect(named.filter((name) => !known.includes(name ?? ""))).toEqual([]);
  });
});

test("no page names what is not there", () => {
  expect(PAGES).toContain("README.md");
  for (const page of PAGES) expect(read(page)).not.toMatch(/\b(TODO|FIXME|TBD)\b/);
});

test("docs/serve.md has a row for each metric of serve, in order, with its labels, type and meaning", () => {
  const view = fleet([node("celery@web-1", HUNG)], { beat: { isHealthy: true, lastS: 1 } });
  const rows = METRICS.map(({ name, type, help, samples }) => {
    const labels = Object.keys(samples(view, OWN)[0]?.labels ?? {});
    return `| \`${name}${labels.length === 0 ? "" : `{${labels.join(",")}}`}\` | ${type} | ${help} |`;
  });
  const page = read("docs/serve.md");
  expect(page.split("\n").filter((line) => /\| (?:gauge|counter) \|/.test(line))).toEqual(rows);
});
