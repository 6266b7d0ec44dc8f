// Signals at any moment of a run, and limits of the machine that it starts under.
import type { Canaries } from "./canaries.ts";
import type { Dice } from "./dice.ts";
import { type Kinds, resultOf } from "./kind.ts";

const SIGNALS = [2, 9, 15] as const;

/** Each command and its usual duration, in milliseconds. */
const COMMANDS = [
  { words: ["--node", "new@canary"], ms: 90 },
  { words: ["--node", "old@canary"], ms: 90 },
  { words: ["--node", "busy@canary"], ms: 1_000 },
  { words: ["--min-nodes", "3"], ms: 500 },
  { words: ["inspect", "ping"], ms: 2_200 },
  { words: ["inspect", "stats"], ms: 2_200 },
  { words: ["doctor"], ms: 4_000 },
  { words: ["watch", "--once"], ms: 3_000 },
  { words: ["report"], ms: 4_000 },
  { words: ["beat"], ms: 80 },
] as const;

/** No other process has this user, so only the run itself counts against its limit. */
const NOBODY_ELSE = 54_321;

/** From the limit that lets Node start (docs/reliability.md) to a limit without any effect. */
const LIMITS = {
  NOFILE: { least: 22, range: 30 },
  AS: { least: 1_200_000_000, range: 2_000_000_000 },
  NPROC: { least: 3, range: 20 },
} as const;

export function killKinds(executable: string, canaries: Canaries): Kinds {
  const env = { CELERY_PROBE_BROKER: canaries.server.url() };
  const aCommand = (dice: Dice) => dice.oneOf(dice.onceIn(4) ? COMMANDS : COMMANDS.slice(0, 6));
  return {
    kills: {
      cases: [2_000, 24],
      async run(dice) {
        const { words, ms } = aCommand(dice);
        const kill = [dice.oneOf(SIGNALS), dice.below(ms)] as const;
        const ran = await canaries.runner.run({
          words: [executable, ...words],
          env,
          longestMs: 60_000,
          kill,
        });
        return resultOf(ran, { words, deadlineMs: null, isIntact: true }, [], { kill });
      },
      finish: () => canaries.traces(),
    },
    limits: {
      cases: [300, 9],
      async run(dice, position) {
        const { words } = aCommand(dice);
        const name = dice.oneOf(["NOFILE", "AS", "NPROC"] as const);
        const { least, range } = LIMITS[name];
        const limits = { [name]: least + dice.below(range) };
        const uid = name === "NPROC" ? { uid: NOBODY_ELSE + position } : {};
        const ran = await canaries.runner.run({
          words: [executable, ...words],
          env,
          longestMs: 60_000,
          limits,
          ...uid,
        });
        return resultOf(ran, { words, deadlineMs: deadlineOf(words), isIntact: true }, [], { limits });
      },
      finish: () => canaries.traces(),
    },
  };
}

/** The default deadline. */
function deadlineOf([command = ""]: readonly string[]): number {
  return { inspect: 10_000, doctor: 15_000, report: 30_000, watch: 5_000 }[command] ?? 5_000;
}
