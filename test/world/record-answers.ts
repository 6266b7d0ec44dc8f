/**
 * Records `test/fixtures/answers/` again from real workers: `node test/world/record-answers.ts`. Each file has what one
 * worker says about itself while it runs a task.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { CeleryVersion } from "./pairs.ts";
import { pidboxChannel, publishQuestion, rawReplies } from "./pidbox-by-hand.ts";
import { startServer } from "./server.ts";
import { DJANGO, startWorker, type Worker } from "./worker.ts";
import type { WorkerOptions } from "./worker-command.ts";

const FOLDER = resolve(import.meta.dirname, "../fixtures/answers");
const NODE = "w1@world";
const METHODS = ["conf", "stats", "active"] as const;

const SETTINGS = {
  task_soft_time_limit: 50,
  task_time_limit: 60,
  worker_max_tasks_per_child: 9,
  broker_transport_options: { visibility_timeout: 120, unacked_key: "mine" },
};

const PROJECT = { app: "shop_in_one_file", also: DJANGO };

const WORKERS: readonly (readonly [CeleryVersion, string, Partial<WorkerOptions>])[] = [
  ["5.2.7", "prefork", { settings: SETTINGS }],
  ["5.2.7", "solo", {}],
  ["5.2.7", "threads", { pool: "threads" }],
  ["5.2.7", "gevent", { pool: "gevent", env: { TASKS_NAMESPACE: "SHOP" }, settings: SETTINGS }],
  ["5.3.6", "threads", { pool: "threads" }],
  ["5.7.0", "prefork", { settings: SETTINGS }],
  ["5.2.7", "django", PROJECT],
  ["5.7.0", "django", PROJECT],
];

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
await using server = await startServer();
for (const [celery, name, options] of WORKERS) {
  const chosen = name === "solo" ? { pool: "solo" as const } : {};
  await using worker = await startWorker({
    server,
    celery,
    name: NODE,
    ...chosen,
    ...options,
  } as WorkerOptions);
  // A solo worker answers nothing while it runs a task, and Django's project has no task.
  if (name !== "solo" && name !== "django") await worker.taskStarted(await worker.submit("nap", 60));
  const answers: Record<string, unknown> = { celery };
  for (const method of METHODS) answers[method] = await ask(worker, method);
  const file = join(FOLDER, `celery-${celery}-${name}.json`);
  await writeFile(file, `${JSON.stringify(answers, null, 2)}\n`);
  process.stderr.write(`recorded ${relative(process.cwd(), file)}\n`);
}

/** @throws Error if it has not answered within 5 s */
async function ask({ redis }: Worker, method: string): Promise<unknown> {
  const replyKey = `${randomUUID()}.reply.celery.pidbox`;
  const ticket = randomUUID();
  const whom = { channel: pidboxChannel(0), destination: [NODE] };
  await publishQuestion(redis, { ...whom, method, replyKey, ticket, ttl: 3_600 });
  const [reply] = await rawReplies(redis, replyKey);
  if (reply === undefined) throw new Error(`${NODE} has not answered ${method}`);
  const { body } = JSON.parse(reply) as { readonly body: string };
  const answer = JSON.parse(Buffer.from(body, "base64").toString("utf8")) as Record<string, unknown>;
  return answer[NODE];
}
