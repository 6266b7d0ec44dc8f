// Asks canaries thousands of times while they work. Each of their tasks is counted: it must run exactly once.
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { replyKey, routesTo, DEFAULT_NAMING } from "../../src/broker/keys.ts";
import { connect } from "../../src/broker/redis.ts";
import { openMailbox } from "../../src/pidbox/mailbox.ts";
import { encodeRequest } from "../../src/pidbox/message.ts";
import { onLoopback } from "../broker/scripted-server.ts";
import { assertWorkerIsWell, type Worker } from "../world/worker.ts";
import type { Canaries } from "./canaries.ts";
import { PASSWORD } from "./conversation.ts";
import { type Kinds, type Result, resultOf } from "./kind.ts";

/** Pings of one case. They share a connection and a mailbox. */
const PINGS = 500;

const PATIENCE_MS = 2_000;

/** The time between two tasks, in milliseconds. The workers get them in turn. */
const TASK_EVERY_MS = 50;

export function soakKinds(executable: string, canaries: Canaries): Kinds {
  const env = { CELERY_PROBE_BROKER: canaries.server.url() };
  const atWork = workload(canaries.workers);
  const finish = async () => [...(await atWork.finish()), ...(await canaries.traces())];
  return {
    mailbox: {
      cases: [100_000 / PINGS, 2],
      async run(dice) {
        atWork.begin();
        return pingBatch(canaries, dice.oneOf(canaries.workers).node);
      },
      finish,
    },
    runs: {
      cases: [10_000, 100],
      async run(dice) {
        atWork.begin();
        const { node } = dice.oneOf(canaries.workers);
        const words = dice.onceIn(20)
          ? ["inspect", dice.oneOf(["ping", "active", "stats", "clock"]), "--node", node]
          : ["--node", node];
        const ran = await canaries.runner.run({ words: [executable, ...words], env, longestMs: 60_000 });
        const faults = ran.code === 0 ? [] : [`no answer of an idle worker: ${ran.stdout}`];
        return resultOf(
          ran,
          { words, deadlineMs: words.length > 2 ? 10_000 : 5_000, isIntact: true },
          faults,
          {},
        );
      },
      finish,
    },
  };
}

/** Uses the executable's own mailbox, in this process. */
async function pingBatch({ server }: Canaries, node: string): Promise<Result> {
  const faults: string[] = [];
  const target = { place: onLoopback(server.port), db: 0, password: PASSWORD, tls: null };
  const channel = await connect(target, PATIENCE_MS, { env: {}, now: () => performance.now() });
  if (!channel.ok) throw new Error(`no connection: ${JSON.stringify(channel.problem)}`);
  const lines = { requests: channel.value, replies: channel.value, db: 0 };
  const patience = { now: () => performance.now(), pause: wait, answerMs: () => PATIENCE_MS };
  const mailbox = openMailbox(lines, 8, patience);
  const replyTo = replyKey([node]);
  const [route] = routesTo(0, DEFAULT_NAMING, replyTo, false);
  for (let left = PINGS; left > 0; left--) {
    const ticket = randomUUID();
    const message = encodeRequest({
      question: { method: "ping" },
      destination: [node],
      ticket,
      controlExchange: "celery",
      replyTo,
      deliveryTag: randomUUID(),
      expires: Date.now() / 1_000 + 10,
    });
    const published = await mailbox.publish(route, message);
    if (!published.ok) faults.push(`not published: ${JSON.stringify(published.problem)}`);
    let answers = 0;
    await mailbox.collect(
      (fresh) => {
        answers += fresh.filter((answer) => answer.ticket === ticket).length;
        return answers > 0;
      },
      PATIENCE_MS,
      { tickets: new Set([ticket]), longest: 65_536 },
    );
    if (answers !== 1) faults.push(`${answers} answers to a ping of ${node}`);
  }
  channel.value.close();
  return { faults, overshootMs: -Infinity, peakMb: 0, evidence: { node } };
}

/** Tasks for the canaries while they are asked. */
function workload(workers: readonly Worker[]) {
  const sent: { readonly worker: Worker; readonly id: Promise<string> }[] = [];
  let timer: NodeJS.Timeout | undefined;
  return {
    begin() {
      timer ??= setInterval(() => {
        const worker = workers[sent.length % workers.length];
        if (worker !== undefined) sent.push({ worker, id: worker.submit("add", 1, 2) });
      }, TASK_EVERY_MS);
    },
    /** What is wrong so far with the tasks and the workers. */
    async finish(): Promise<readonly string[]> {
      clearInterval(timer);
      timer = undefined;
      const faults: string[] = [];
      for (const worker of workers)
        await assertWorkerIsWell(worker).catch((error: unknown) =>
          faults.push(String(error).slice(0, 3_000)),
        );
      const runs = new Map<string, number>();
      for (const worker of workers)
        for (const [, id = ""] of worker.log().matchAll(/began (\S+)/g))
          runs.set(id, (runs.get(id) ?? 0) + 1);
      for (const { worker, id } of sent.splice(0)) {
        const times = runs.get(await id) ?? 0;
        if (times !== 1) faults.push(`a task ran ${times} times on ${worker.node}`);
      }
      return faults;
    },
  };
}
