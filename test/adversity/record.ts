// Records the conversations again: `node test/adversity/record.ts`. Needs root, a built executable and both Celerys.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { takeCommand } from "../broker/scripted-server.ts";
import { startBeat } from "../world/beat.ts";
import { startContainer } from "../world/container.ts";
import { portOf } from "../world/proxy.ts";
import { startServer } from "../world/server.ts";
import { taskMessage } from "../world/task-message.ts";
import { type Exchange, FOLDER, keyOf, PASSWORD, UNTOLD } from "./conversation.ts";
import { elementsOf } from "./resp.ts";

const W1 = ["--node", "w1@world"];
const WORDS: Readonly<Record<string, readonly string[]>> = {
  "check-healthy": W1,
  "check-two": [...W1, "--node", "w2@world"],
  "check-work": [...W1, "--max-task-age", "1h", "--max-queue-length", "1000", "--require-consuming"],
  "check-dead": ["--node", "gone@world"],
  ...Object.fromEntries(
    ["ping", "active", "active_queues", "stats", "registered", "clock", "report", "conf"].map((method) => [
      `inspect-${method}`,
      ["inspect", method],
    ]),
  ),
  ...Object.fromEntries(
    ["reserved", "scheduled", "revoked"].map((method) => [
      `inspect-${method}`,
      ["inspect", method, "--allow-risky"],
    ]),
  ),
  "inspect-query_task": ["inspect", "query_task", "one", "two", "--allow-risky"],
  beat: ["beat", "--redbeat-lock", "redbeat::lock"],
  "check-busy": ["--node", "busy@world"],
  doctor: ["doctor"],
  watch: ["watch", "--once"],
  report: ["report"],
};

/** Settings of an application that nobody else may see. */
const SETTINGS = {
  api_token: `${UNTOLD}-by-its-name`,
  payment: `sk_live_${UNTOLD}4eC39HqLyjWDarjtT1`,
  cloud: "AKIAUNTOLD1234567890",
  forge: `ghp_${UNTOLD}0123456789abcdefghijABCDEFGHIJ`,
  session: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${UNTOLD}4fwpMeJf36POk6yJV_adQssw5c`,
  shop_url: `https://shop:${UNTOLD}@shop.example/`,
  certificate: `-----BEGIN PRIVATE KEY-----\n${UNTOLD}MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n`,
};

await using server = await startServer({ password: PASSWORD });
await using container = await startContainer({ hostname: "world" });
await using w1 = await container.startWorker({ server, name: "w1@world", settings: SETTINGS });
await using _w2 = await container.startWorker({ server, name: "w2@world", celery: "5.2.7", queues: ["old"] });
await startBeat(container, { brokerUrl: server.url(), args: ["--enable-remote-control"] });
await w1.taskStarted(await w1.submit("nap_until", "/never"));
for (const queue of ["celery", "celery", "orphaned"])
  await w1.redis.lpush(queue, taskMessage(queue, "nap_until", ["/never"]).element);
await w1.redis.set("redbeat::lock", "x", "EX", 600);

const exchanges: Exchange[] = [];
const tap = createServer((client) => {
  const ours: Exchange[] = [];
  const broker = connect(server.port, "127.0.0.1");
  let said = "";
  let heard = Buffer.alloc(0);
  client.on("data", (bytes) => {
    said += bytes.toString("latin1");
    for (let taken = takeCommand(said); taken !== null; taken = takeCommand(said)) {
      const exchange = { command: taken.command, reply: "" };
      ours.push(exchange);
      exchanges.push(exchange);
      said = taken.rest;
    }
    broker.write(bytes);
  });
  broker.on("data", (bytes) => {
    heard = Buffer.concat([heard, bytes]);
    for (let [reply] = elementsOf(heard) ?? []; reply !== undefined; [reply] = elementsOf(heard) ?? []) {
      // What a subscription hears comes after the last answer.
      const exchange = ours.find((one) => one.reply === "") ?? ours.at(-1);
      if (exchange === undefined) throw new Error("the broker spoke first");
      exchange.reply += heard.toString("latin1", 0, reply.end);
      heard = heard.subarray(reply.end);
    }
    client.write(bytes);
  });
  for (const [one, other] of [
    [client, broker],
    [broker, client],
  ] as const)
    one.on("error", () => undefined).on("close", () => other.destroy());
});
await new Promise<void>((resolve) => tap.listen(0, "127.0.0.1", resolve));
const url = `redis://:${PASSWORD}@127.0.0.1:${portOf(tap)}/0`;
const executable = join(import.meta.dirname, "../../dist/celery-probe");
await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
for (const [name, words] of Object.entries(WORDS)) {
  // With a worker that never answers, every question to all workers takes its whole timeout.
  if (name === "check-busy") {
    await container.startWorker({ server, name: "busy@world", pool: "solo", queues: ["slow"] });
    await w1.redis.lpush("slow", taskMessage("slow", "nap_until", ["/never"]).element);
    await setTimeout(3_000);
  }
  exchanges.length = 0;
  const { exitCode, stdout, stderr } = await container.run(executable, words, { CELERY_PROBE_BROKER: url });
  console.log(
    `${name}: exit ${exitCode ?? "by signal"}, ${exchanges.length} exchanges: ${stdout.slice(0, 150)}${stderr}`,
  );
  const kept = exchanges.filter(({ command, reply }, position) => {
    const before = exchanges.slice(0, position).findLast((one) => keyOf(one.command) === keyOf(command));
    // If the same command has the same answer again, the replay repeats it.
    return /^(?:PUBLISH|EXEC)$/.test(command[0] ?? "") || before?.reply !== reply;
  });
  const conversation = { name, words, exchanges: kept.map((one) => ({ ...one })) };
  const text = JSON.stringify(conversation, null, 1).replaceAll(String(portOf(tap)), "6379");
  await writeFile(join(FOLDER, `${name}.json`), `${text}\n`);
}
tap.close();
