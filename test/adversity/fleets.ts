// Large answers of many workers, long reply lists and large messages. Tests how much of them a run keeps, and what it
// prints.
import { startContainer } from "../world/container.ts";
import { startServer } from "../world/server.ts";
import { PASSWORD } from "./conversation.ts";
import { elementOf, type Json, startFleet } from "./fleet.ts";
import { type Kinds, resultOf } from "./kind.ts";
import { type Ran, startRunner } from "./runner.ts";

interface Case {
  readonly words: readonly string[];
  readonly nodes: number;
  readonly say?: Json;
  /** Elements of other clients that come to the reply list with each question. */
  readonly flood?: () => readonly string[];
  /** Messages that wait in the queue `celery`. */
  readonly queued?: () => readonly string[];
  /** Returns what is wrong with its output. */
  readonly faults?: (ran: Ran) => readonly string[];
}

const MB = 1_000_000;

/** A result of this length, made only of this part. It answers all methods except ping and report. */
function filled(part: string, bytes: number): Json {
  const list = `{"x":[${part}${`,${part}`.repeat(Math.floor(bytes / (part.length + 1)) - 1)}]}`;
  return (method) => (method === "report" ? null : list);
}

/** A project's settings of this length. */
function settings(bytes: number): Json {
  return (_method, node) => {
    const entries = Array.from(
      { length: Math.floor(bytes / 60) },
      (_, at) => [`SETTING_NUMBER_${at}`, `of ${node}, a value of some length`] as const,
    );
    return JSON.stringify(Object.fromEntries(entries));
  };
}

const NUMBER = "12345678901234567";
const TEXT = `"${"of a project ".repeat(20)}"`;
const TASK = `"project.app.tasks.do_what_has_to_be_done"`;

/** It exits with 0 only if all have answered. Otherwise it names the missing nodes on stderr. */
function allAnswered({ stderr, code }: Ran): readonly string[] {
  return code === 0 ? [] : [`exit ${String(code)}: ${stderr.slice(0, 200)}`];
}

/** The fleet is one process, which makes tens of megabytes for a question. */
const PATIENT = ["--timeout", "8s", "--deadline", "30s"];
const DEADLINE_MS = 30_000;

const JSON_OF = ["--output", "json"];

/** A fleet with the smallest answers. */
const PLAIN: Case = { words: ["inspect", "ping"], nodes: 1, faults: allAnswered };

const CASES: readonly Case[] = [
  PLAIN,
  { words: ["inspect", "conf", ...JSON_OF], nodes: 100, say: settings(60_000), faults: allAnswered },
  {
    words: ["inspect", "stats", ...JSON_OF],
    nodes: 1_000,
    say: settings(3_000),
    faults: allAnswered,
  },
  ...["conf", "stats"].flatMap((method): readonly Case[] =>
    [NUMBER, TEXT, "{}", "[]", '""', `{"password":"x"}`].flatMap((part) => [
      { words: ["inspect", method], nodes: 8, say: filled(part, 2.5 * MB) },
      { words: ["inspect", method, ...JSON_OF], nodes: 40, say: filled(part, 0.5 * MB) },
    ]),
  ),
  { words: ["inspect", "registered"], nodes: 1_000, say: filled(TASK, 20_000) },
  ...[NUMBER, TEXT, "{}"].flatMap((part): readonly Case[] => [
    { words: ["report"], nodes: 8, say: filled(part, 2.5 * MB) },
    { words: ["report", ...JSON_OF], nodes: 8, say: filled(part, 2.5 * MB) },
    { words: ["doctor"], nodes: 8, say: filled(part, 2.5 * MB) },
  ]),
  { words: ["inspect", "conf"], nodes: 2, say: filled(TEXT, 11 * MB) },
  { words: ["inspect", "conf"], nodes: 2, say: filled(TEXT, 20 * MB) },
  ...[1_000, 100_000, 3.4 * MB, 15 * MB, 40 * MB].flatMap((bytes): readonly Case[] =>
    [
      ["--node", "w0@fleet"],
      ["inspect", "ping"],
    ].map((words) => ({
      words,
      nodes: 1,
      flood: () => {
        const element = elementOf("x".repeat(bytes * 0.75), "of another");
        return Array.from(
          { length: Math.min(8_000, Math.ceil((60 * MB) / bytes)) },
          (_, at) => `${at}${element}`,
        );
      },
      // Longer lists are sent again at each look, which takes seconds on a busy machine.
      faults: bytes < 4 * MB ? allAnswered : () => [],
    })),
  ),
  {
    words: ["doctor"],
    nodes: 1,
    queued: () => ["x".repeat(20 * MB), ...Array.from({ length: 200 }, () => "{}")],
    faults: ({ stdout }) => (stdout.includes("201 messages") ? [] : ["the queue's length is not said"]),
  },
];

/** So that the short form has some cases of each. It does not divide their number. */
const STRIDE = 11;

export async function fleetKinds(executable: string, stack: AsyncDisposableStack): Promise<Kinds> {
  const container = stack.use(await startContainer({ hostname: "fleet" }));
  const runner = stack.use(await startRunner(container));
  return {
    fleet: {
      cases: [CASES.length, 5],
      alone: true,
      async run(_dice, position) {
        const {
          words,
          nodes: count,
          say,
          flood,
          queued,
          faults,
        } = CASES[(position * STRIDE) % CASES.length] ?? PLAIN;
        await using server = await startServer({ password: PASSWORD, args: ["--maxclients", "2000"] });
        const redis = server.client();
        for (const message of queued?.() ?? []) await redis.rpush("celery", message);
        const nodes = Array.from({ length: count }, (_, at) => `w${at}@fleet`);
        await using _fleet = await startFleet(server, nodes, say ?? (() => null), flood?.() ?? []);
        const ran = await runner.run({
          words: [executable, ...words, ...PATIENT],
          env: { CELERY_PROBE_BROKER: server.url() },
          longestMs: 60_000,
        });
        return resultOf(ran, { words, deadlineMs: DEADLINE_MS, isIntact: true }, faults?.(ran) ?? [], {});
      },
    },
  };
}
