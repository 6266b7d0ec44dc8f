import { existsSync, globSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { optionsPage } from "../scripts/options-page.ts";
import { allVariables, COMMAND_OPTIONS, type OtherCommand, takenBy } from "../src/cli/command-options.ts";
import { COMMAND_NAMES, DEFAULT_COMMAND } from "../src/cli/commands.ts";
import { OPTION_NAMES } from "../src/cli/options.ts";
import { METHODS, methodFacts } from "../src/inspect/methods.ts";
import { CODES } from "../src/render/findings/finding-words.ts";
import { REASONS } from "../src/health/verdict.ts";
import { METRICS } from "../src/serve/metrics.ts";
import { membersOf, PAGES, read, ROOT } from "./pages.ts";
import { fleet, HUNG, node } from "./serve/fleet.ts";
import { OWN } from "./serve/served.ts";
import { PAIRS } from "./world/pairs.ts";

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

test("docker logs is piped with stderr, where Celery logs, in pages and messages", () => {
  const files = [...PAGES, ...globSync("src/**/*.ts", { cwd: ROOT })];
  const pipes = files.flatMap((file) => [
    ...read(file)
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&")
      .matchAll(/docker logs [^`"\n]*\|/g),
  ]);
  expect(pipes.length).toBeGreaterThan(0);
  expect(pipes.map(([pipe]) => pipe).filter((pipe) => !pipe.includes("2>&1"))).toEqual([]);
});

test.each([
  ["README.md", 120],
  ["ARCHITECTURE.md", 130],
])("%s is read to its end: it has at most %i lines", (page, most) => {
  expect(read(page).trimEnd().split("\n").length).toBeLessThanOrEqual(most);
});

test("README.md has the figures of docs/performance.md", () => {
  const measured = (row: string) => {
    const [wall, cpu, , memory] = cellsOf("docs/performance.md", row).map((cell) =>
      Math.round(Number.parseFloat(cell)),
    );
    return `${wall} ms, ${cpu} ms, ${memory} MB`;
  };
  const rows = [
    ["wall time, CPU time, peak memory, without an application", "celery inspect ping -d"],
    ["the same with `-A` of a Django project", "inspect ping, Django project"],
    ["the same where the project calls `django.setup()`", "inspect ping, Django set up"],
  ] as const;
  for (const [said, contender] of rows)
    expect(cellsOf("README.md", said)).toEqual([measured(contender), measured("celery-probe")]);
  expect(read("README.md")).toContain(`A check takes ${measured("celery-probe").split(",", 1)[0]},`);
});

/** What stands behind the first cell of a row. */
function cellsOf(page: string, first: string): readonly string[] {
  const row = read(page)
    .split("\n")
    .find((line) => line.startsWith(`| ${first} |`));
  if (row === undefined) throw new Error(`${page} has no row '${first}'`);
  return row.slice(2, -2).split(" | ").slice(1);
}

test("docs/README.md leads to every page of docs", () => {
  const index = read("docs/README.md");
  const pages = PAGES.filter((page) => /^docs\/(?!README).*\.md$/.test(page));
  expect(pages.filter((page) => !index.includes(`](${basename(page)}`))).toEqual([]);
  const examples = PAGES.filter((page) => /^examples\/.*README\.md$/.test(page));
  expect(examples.filter((page) => !index.includes(`](../${page})`))).toEqual([]);
});

test("docs/README.md has a row for each command", () => {
  const rows = [...read("docs/README.md").matchAll(/^\| `celery-probe(?: ([a-z]+))?[^`]*` \|/gm)];
  const named = rows.map(([, name]) => name ?? DEFAULT_COMMAND);
  expect([...named, "help"].sort()).toEqual([...COMMAND_NAMES].sort());
});

test("docs/versions.md has the versions that the tests run", () => {
  const rows = [...read("docs/versions.md").matchAll(/^\| (5[\d.]+) \| ([\d.]+) \| ([\d.]+) \|$/gm)];
  expect(rows.map(([, ...versions]) => versions)).toEqual(
    Object.values(PAIRS).map(({ celery, kombu, redisPy }) => [celery, kombu, redisPy]),
  );
});

test("ARCHITECTURE.md has a row for each room of src", () => {
  const [, section = ""] = read("ARCHITECTURE.md").split("\n## Rooms\n");
  const rows = [...section.matchAll(/^\| ((?:`[a-z]+`(?:, )?)+) \| /gm)];
  const named = rows.flatMap(([, names = ""]) => names.replaceAll("`", "").split(", "));
  const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(named.sort()).toEqual(rooms.map(({ name }) => name).sort());
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

test("no page has a note of unfinished work", () => {
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
