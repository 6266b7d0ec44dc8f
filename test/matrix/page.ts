import { cellsOf, POOLS, reasonOfEmptiness, VERSIONS } from "./grid.ts";
import { type CellResult, isRight } from "./run-cell.ts";
import { type Ask, asksOf, type Cell, type State } from "./state.ts";
import { countWrongs, truthOf } from "./wrongs.ts";

export type ReadResult = (state: State, cell: Cell) => CellResult | undefined;

/** `docs/matrix.md`, from the table of states and what came out; nothing in it depends on when or how fast. */
export function matrixPage(states: readonly State[], read: ReadResult): string {
  return [HEAD, summary(states, read), ...states.map((state) => section(state, read))].join("\n\n") + "\n";
}

const HEAD = `# The matrix

Every state a worker can be in, made with real workers and a real Redis. Each state is first proven without the probe, by
CLIENT LIST, subscriber counts, queue lengths and \`/proc\`. Then the packaged executable is asked inside the worker's
container. \`npm run test:matrix\` makes this page; it needs root, for frozen cgroups and half-open connections. **Wrong**
marks an answer that is not the expected one.

Beside each verdict stands the exit code of \`celery inspect ping -d NODE\`, asked in the same state with the worker's own
Celery. 0 is a pong, 69 is no answer, and *killed* means that it had not ended after 60 s. Celery 5.0 prints "No nodes
replied" and still exits with 0. \`test/world/pairs.ts\` has the versions; 5.6.3-crossed is Celery 5.6.3 with kombu 5.7.0.

**False dead** counts answers that would have restarted a worker that works, or that may work. **False alive** counts
answers that would have left a worker alone although it needs a restart.`;

function summary(states: readonly State[], read: ReadResult): string {
  const rows = states.map((state) => {
    const cells = cellsOf(state);
    const right = cells.filter((cell) => {
      const result = read(state, cell);
      return result !== undefined && isRight(result);
    });
    const { probe, shellLine } = countWrongs([state], read);
    return [
      `[\`${state.id}\`](#${state.id})`,
      state.title,
      `${right.length} of ${cells.length}`,
      `${probe.falseDead} / ${probe.falseAlive}`,
      `${shellLine.falseDead} / ${shellLine.falseAlive}`,
    ];
  });
  const { probe, shellLine } = countWrongs(states, read);
  const isRightIn = rows.map(([, , right = ""]) => Number(right.split(" ")[0]));
  const all = states.flatMap(cellsOf).length;
  const total = [
    "**all**",
    "",
    `${isRightIn.reduce((sum, count) => sum + count, 0)} of ${all}`,
    `${probe.falseDead} / ${probe.falseAlive}`,
    `${shellLine.falseDead} / ${shellLine.falseAlive}`,
  ];
  const head = [
    "state",
    "the worker",
    "cells right",
    "false dead / false alive: `celery-probe`",
    "`celery inspect ping -d`",
  ];
  return table(head, [...rows, total]);
}

function section(state: State, read: ReadResult): string {
  const cells = cellsOf(state);
  const versions = VERSIONS.filter((celery) => cells.some((cell) => cell.celery === celery));
  const pools = POOLS.filter((pool) => cells.some((cell) => cell.pool === pool));
  const rows = pools.map((pool) => [
    pool,
    ...versions.map((celery) => {
      const cell = { pool, celery };
      if (!cells.some((one) => one.pool === pool && one.celery === celery)) return "–";
      return cellText(read(state, cell));
    }),
  ]);
  return [
    `## ${state.id}`,
    `${state.title.charAt(0).toUpperCase()}${state.title.slice(1)}. ${truthWords(state)}`,
    askedWords(state),
    proofWords(state, read),
    table(["", ...versions], rows),
    emptyWords(state),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

function truthWords(state: State): string {
  const truths = new Set(cellsOf(state).map((cell) => truthOf(state, cell)));
  if (truths.size > 1) return "Whether it needs a restart depends on the version.";
  return {
    well: "It needs no restart.",
    sick: "It needs a restart.",
    untold: "Whether it needs a restart cannot be seen.",
  }[[...truths][0] ?? "untold"];
}

function askedWords(state: State): string {
  const lines = new Map<string, Set<string>>();
  for (const cell of cellsOf(state)) {
    for (const ask of asksOf(state, cell)) {
      const command = ["celery-probe", ...(ask.args ?? [])].join(" ");
      const times = ask.times === undefined ? "" : `, ${ask.times} times in a row`;
      const line = `\`${command}\`${times}`;
      lines.set(line, (lines.get(line) ?? new Set()).add(rightWords(ask)));
    }
  }
  return [...lines].map(([line, words]) => `* ${line}: ${[...words].join("; or, by version, ")}`).join("\n");
}

function rightWords({ expect, or, exit }: Ask): string {
  const words = or === undefined ? `\`${expect}\`` : `\`${expect}\` or \`${or}\``;
  return exit === undefined ? words : `${words}, exit ${exit}`;
}

/** The proof of one cell, since those of the others differ in numbers only; numbers are left out. */
function proofWords(state: State, read: ReadResult): string {
  for (const cell of cellsOf(state)) {
    const proof = read(state, cell)?.proof ?? "";
    if (proof !== "") return `Proven by: ${proof.replaceAll(/\b\d+ (?=\w)/g, "n ")}.`;
  }
  return "";
}

function cellText(result: CellResult | undefined): string {
  if (result === undefined) return "not run";
  const verdicts = result.answers.map(({ verdict, problem }) => {
    const reason = verdict.replace(/^\w+: /, "");
    return problem === null ? reason : `**wrong: ${reason}**`;
  });
  const shell = result.shellLine === undefined ? [] : [`ping ${result.shellLine ?? "*killed*"}`];
  const failure = result.failure === null ? [] : ["**wrong: the state or the worker after it**"];
  return [...verdicts, ...failure, ...shell].join("<br>");
}

function emptyWords(state: State): string {
  const reasons = new Map<string, string[]>();
  const cells = cellsOf(state);
  for (const pool of POOLS) {
    const empty = VERSIONS.filter(
      (celery) => !cells.some((cell) => cell.pool === pool && cell.celery === celery),
    );
    for (const celery of empty) {
      const isWhole = empty.length === VERSIONS.length;
      const reason = reasonOfEmptiness(state, { pool, celery });
      if (reason === undefined) throw new Error(`${state.id} ${pool} ${celery} is empty without a reason`);
      const who = isWhole ? pool : "other versions";
      const named = reasons.get(reason) ?? [];
      reasons.set(reason, named.includes(who) ? named : [...named, who]);
    }
  }
  if (reasons.size === 0) return "";
  return `Empty: ${[...reasons].map(([reason, who]) => `${who.join(", ")} (${reason})`).join("; ")}.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (columns: readonly string[]) => `| ${columns.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}
