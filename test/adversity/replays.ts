// Recorded conversations with damage in them: each kind of `damage.ts` against every command.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Container, startContainer } from "../world/container.ts";
import { findPython } from "../world/python.ts";
import { type Conversation, PASSWORD, readConversations } from "./conversation.ts";
import { damageOf, DAMAGES } from "./damage.ts";
import type { Dice } from "./dice.ts";
import { type Kind, type Kinds, resultOf } from "./kind.ts";
import { startReplay } from "./replay.ts";
import { type Runner, startRunner } from "./runner.ts";
import { HOSTILE } from "./values.ts";

/** Damage that leaves every value as it was. */
const INTACT = ["split", "order", "duplicate", "surroundings"];

/** The numbers of cases in the whole run and in the short form, for kinds that cost more than others. */
const CASES: Readonly<Record<string, readonly [number, number]>> = { size: [360, 3], nesting: [1_000, 8] };

/** Each of them waits for seconds, so they are drawn less often. */
const LONG = /^(?:doctor|report|watch)$/;

/** Each command's time limits, and when it must have ended because of them, in milliseconds. */
const QUICK = ["--timeout", "300ms", "--connect-timeout", "300ms"];
interface Times {
  readonly words: readonly string[];
  readonly deadlineMs: number;
}
const TIMES: Readonly<Record<string, Times>> = {
  doctor: { words: [...QUICK, "--deadline", "2s"], deadlineMs: 2_000 },
  report: { words: [...QUICK, "--deadline", "2s"], deadlineMs: 2_000 },
  // It has no deadline: it takes three looks, and listens for heartbeats for 2.5 s.
  watch: { words: ["--connect-timeout", "300ms"], deadlineMs: 5_000 },
};
/** For commands that must read an answer completely. */
const PATIENT = { words: ["--deadline", "3s"], deadlineMs: 3_000 };
const LARGE = ["size", "nesting", "values", "patterns"];
const OTHERS = { words: [...QUICK, "--deadline", "1s"], deadlineMs: 1_000 };

export async function replayKinds(executable: string, stack: AsyncDisposableStack): Promise<Kinds> {
  const conversations = readConversations();
  const quiet = await emptyContainer("quiet", stack);
  const loud = await emptyContainer("loud", stack);
  const files = await hostileSurroundings(loud.container);

  function kind(name: string): Kind {
    const { runner } = name === "surroundings" ? loud : quiet;
    return {
      cases: CASES[name] ?? [1_165, 14],
      async run(dice) {
        const chosen = conversations.filter((one) => !LONG.test(one.name) || dice.onceIn(6));
        const conversation = dice.oneOf(chosen);
        const damage =
          name === "surroundings"
            ? (reply: Buffer) => [reply]
            : damageOf(name as keyof typeof DAMAGES, conversation.exchanges.length, dice);
        await using replay = await startReplay(conversation, damage);
        const mustAnswer = name === "split" && conversation.name === "check-healthy";
        const { words: times, deadlineMs } = timesOf(conversation, mustAnswer || LARGE.includes(name));
        const surroundings =
          name === "surroundings" ? hostileWords(conversation, dice, files) : conversation.words;
        const words = [...surroundings, ...times, ...formOf(conversation, dice)];
        const broker = `redis://:${PASSWORD}@127.0.0.1:${replay.port}/0`;
        const ran = await runner.run({
          words: [executable, ...words],
          env: { CELERY_PROBE_BROKER: broker },
          longestMs: 60_000,
        });
        const bounds = { words, deadlineMs, isIntact: INTACT.includes(name) };
        const more = mustAnswer && ran.code !== 0 ? ["an answer in pieces is none"] : [];
        return resultOf(ran, bounds, more, { conversation: conversation.name, written: replay.written });
      },
    };
  }
  return Object.fromEntries(
    [...Object.keys(DAMAGES), "order", "surroundings"].map((name) => [name, kind(name)]),
  );
}

function timesOf({ words: [command = ""] }: Conversation, isPatient: boolean): Times {
  return isPatient && command !== "watch" ? PATIENT : (TIMES[command] ?? OTHERS);
}

function formOf({ words }: Conversation, dice: Dice): readonly string[] {
  if (words[0] === "watch") return [];
  const isCheck = words[0]?.startsWith("--") === true || words[0] === "beat";
  return [
    ...(dice.onceIn(3) ? ["--output", "json"] : []),
    ...(isCheck && dice.onceIn(3) ? ["--verbose"] : []),
    ...(words[0]?.startsWith("--") === true && dice.onceIn(4) ? ["--on-unknown", "healthy"] : []),
  ];
}

async function emptyContainer(
  hostname: string,
  stack: AsyncDisposableStack,
): Promise<{ readonly container: Container; readonly runner: Runner }> {
  const container = stack.use(await startContainer({ hostname }));
  return { container, runner: stack.use(await startRunner(container)) };
}

/**
 * Processes that look like workers and a beat. Their names, titles and queues must not be printed as they are. Also a
 * log.
 */
async function hostileSurroundings(container: Container): Promise<readonly string[]> {
  const { path: python } = await findPython();
  const celery = join(container.folder, "celery");
  await writeFile(celery, "import time; time.sleep(1e9)\n");
  const titles = ["-n", "-Q", "-b"].flatMap((option) =>
    HOSTILE.map((text) => [option, text.replaceAll("\0", "")]),
  );
  // One has a URL in its title. Names and queues are read from the others.
  const starts = [
    ["beat", "--enable-remote-control"],
    // It is not recognised as a worker. The output names it as a possible worker.
    [`app:${PASSWORD}@cache.internal`, `redis://:${PASSWORD}@cache.internal/0`],
    ...dealt(titles, 12).map((words) => ["worker", ...words]),
  ];
  for (const words of starts)
    await container.start({
      what: "hostile",
      command: python,
      args: () => [celery, ...words],
      env: () => ({ CELERY_BROKER_URL: `redis://:${PASSWORD}@127.0.0.1:1/0` }),
    });
  const lines = HOSTILE.flatMap((text) => [
    `[2026-01-01 00:00:00,000: ERROR/MainProcess] consumer: Cannot connect to redis://:${PASSWORD}@h:1//: ${text}`,
    `[2026-01-01 00:00:00,000: ERROR/ForkPoolWorker-1] Task ${text}[x] raised unexpected: ValueError('${text}')`,
    `Traceback (most recent call last):\n  File "${text}"\nkombu.exceptions.OperationalError: ${text}`,
  ]);
  const files = [join(container.folder, "worker.log"), join(container.folder, "\x1b[31mred.log")];
  for (const file of files) await writeFile(file, lines.join("\n"));
  return files;
}

/** Some of the elements, evenly spread. */
function dealt<T>(list: readonly T[], count: number): readonly T[] {
  return list.filter((_, position) => position % Math.ceil(list.length / count) === 0);
}

function hostileWords(conversation: Conversation, dice: Dice, files: readonly string[]): readonly string[] {
  const { words } = conversation;
  const text = dice.oneOf(HOSTILE).replaceAll("\0", "");
  const isFinding = /^(?:doctor|report)$/.test(words[0] ?? "");
  const options = [
    [],
    ...(words[0] === "beat" ? [] : [["--node", `${text}@world`]]),
    ...(isFinding ? files.map((file) => ["--log", file]) : []),
    ["--global-keyprefix", text],
    ["--placement", "inside"],
  ];
  const fit = words[0] === "watch" ? [[]] : options;
  const whom = dice.onceIn(2) ? words : words.filter((word) => !/^--node$|@world$/.test(word));
  return [...whom, ...dice.oneOf(fit)];
}
