import type { Command } from "../broker/channel.ts";
import { controlChannel } from "../broker/keys.ts";
import { sortSettings } from "../celery/every-setting.ts";
import { poolNameIn } from "../celery/pool.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import { methodLines } from "../cli/help.ts";
import { startDeadline } from "../deadline.ts";
import { boundNodes } from "../discovery/bound-nodes.ts";
import { discover } from "../discovery/discover.ts";
import type { Host } from "../host.ts";
import { inspectNodes, type Inspection } from "../inspect/inspect-nodes.ts";
import { nodesInSight } from "../inspect/known-nodes.ts";
import { readWords, type Wanted, type WordProblem } from "../inspect/methods.ts";
import { onlySetting } from "../inspect/only-setting.ts";
import { withoutSecrets } from "../inspect/secrets.ts";
import { json, lines, NOTHING, page } from "../render/gate.ts";
import { brokerLine, inspectText, remarks } from "../render/inspect-text.ts";
import { unknownSettingSentence, wordSentence } from "../render/inspect-words.ts";
import { listenToHeartbeats } from "../session/heartbeats.ts";
import { firstDatabase, planSession, type SessionPlan } from "../session/plan.ts";
import { openSession, type Session } from "../session/session.ts";
import { type Ending, failed, misused, type Run } from "./command.ts";

type Configuration = CommandConfig<"inspect">;

/** Asks one, several or all workers one question, as Celery's `inspect` does. */
export const inspect: Run<Configuration> = async ({ config, words }, host) => {
  const wanted = readWords(words, {
    "with-defaults": config["with-defaults"].value,
    all: config.all.value,
    builtins: config.builtins.value,
  });
  if (!wanted.ok) return unread(wanted.problem);
  const { question, setting } = wanted.value;
  const whom = {
    kind: "workers",
    node: config.node,
    placement: config.placement.value,
    pidfile: config.pidfile,
  } as const;
  const deadline = startDeadline(deadlineMs(config), host.now);
  const found = await discover(whom, config, host, deadline.left());
  if (!found.ok) return misused(found.problem);
  const { named, place, brokers, pids } = found.value;
  const plan = planSession(config, brokers, pids);
  const session = await openSession(plan, host, deadline);
  if (!session.ok) return failed(brokerLine(plan.broker.shown, session.problem));
  const heartbeats = listenToHeartbeats(session.value, host, deadline);
  const secrets = secretsOf(session.value, config);
  const inSight = nodesInSight(place, session.value, host);
  const inspection = await inspectNodes(session.value, {
    question,
    given: named,
    known: () => [...heartbeats.heard.keys(), ...inSight],
    bound: async () => {
      const send = async (commands: readonly Command[]) => {
        const sent = await session.value.send(commands);
        return sent.ok ? sent.value : null;
      };
      return (await boundNodes(send, plan.naming, null)) ?? [];
    },
    allowRisky: config["allow-risky"].value,
    timeoutMs: config.timeout.value,
    // Secrets are hidden as each answer arrives, so that no answer is in memory twice.
    keep: (result) => withoutSecrets(question.method, result, secrets),
  });
  heartbeats.close();
  session.value.close();
  if (!inspection.ok) return failed(brokerLine(plan.broker.shown, inspection.problem));
  if (setting === null) return ending(plan, wanted.value, inspection.value, config, host);
  const narrowed = onlySetting(setting, inspection.value);
  return narrowed.ok
    ? ending(plan, wanted.value, narrowed.value, config, host)
    : failed(unknownSettingSentence(setting, narrowed.problem));
};

/** Says why the words cannot be read. If the method is missing, it lists all methods. */
function unread(problem: WordProblem): Ending {
  const sentence = wordSentence(problem);
  if (problem.kind !== "none") return failed(sentence);
  const stderr = page([
    `celery-probe: ${sentence}`,
    "",
    ...methodLines(),
    "",
    "celery-probe help inspect has the options.",
  ]);
  return { stdout: NOTHING, stderr, exitCode: 1 };
}

/** A method needs up to three questions, one after the other. `--timeout` applies to each. */
const QUESTIONS = 3;

/** In milliseconds. The additional time for connecting and ending. */
const BESIDE_MS = 2_000;

function deadlineMs({ deadline, timeout }: Configuration): number {
  return deadline.origin.kind === "default"
    ? Math.max(deadline.value, QUESTIONS * timeout.value + BESIDE_MS)
    : deadline.value;
}

/** The passwords that the probe itself has. */
function secretsOf({ read, write }: Session, config: Configuration): readonly string[] {
  return [read.target.password, write.target.password, config["sentinel-password"].value].filter(
    (secret): secret is string => typeof secret === "string",
  );
}

function ending(
  { broker, naming }: SessionPlan,
  { question, setting }: Wanted,
  inspection: Inspection,
  config: Configuration,
  { epochSeconds }: Host,
): Ending {
  const stderr = lines(remarks(question.method, inspection, controlChannel(firstDatabase(broker), naming)));
  if (inspection.kind === "refused") return { stdout: NOTHING, stderr, exitCode: 1 };
  const { results, absent } = inspection;
  return {
    stdout:
      config.output.value === "json"
        ? // The format of `celery inspect METHOD -j`: one object by full node name.
          json(Object.fromEntries(results))
        : lines(
            inspectText(question.method, results, {
              nowS: epochSeconds(),
              poolIn: poolNameIn,
              conf: { sort: sortSettings, asked: setting, isAll: config.all.value },
            }),
          ),
    stderr,
    exitCode: results.size > 0 && absent.length === 0 ? 0 : 1,
  };
}
