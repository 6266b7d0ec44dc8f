// `npm run pictures` makes docs/doctor.svg and docs/watch.svg: what the executable shows in a terminal, on real
// workers. It also makes docs/serve-*.png: the page of `serve` with a scripted fleet.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startContainer } from "../test/world/container.ts";
import { startServer } from "../test/world/server.ts";
import { inTerminal } from "../test/world/terminal.ts";
import { startWorker } from "../test/world/worker.ts";
import { pagePictures } from "./page-pictures.ts";
import { terminalSvg } from "./terminal-svg.ts";

const ROOT = join(import.meta.dirname, "..");
const EXECUTABLE = join(ROOT, "dist/celery-probe");
const SIZE = { columns: 118, rows: 40 };
const ENVIRONMENT = { LANG: "C.UTF-8" };

await picture("doctor", await doctorsWords());
await picture("watch", await watchedWorld());
for (const file of await pagePictures(join(ROOT, "docs"))) console.log(`docs/${file}`);
process.exit(0);

async function picture(name: string, text: string): Promise<void> {
  await writeFile(join(ROOT, `docs/${name}.svg`), terminalSvg(text, SIZE.columns));
  console.log(`docs/${name}.svg`);
}

/** The producers use another name for a queue, and two limits are in the wrong order. */
async function doctorsWords(): Promise<string> {
  await using server = await startServer();
  await using container = await startContainer({ hostname: "web-1" });
  await using worker = await container.startWorker({
    server,
    concurrency: 2,
    queues: ["mials"],
    args: ["--soft-time-limit", "240", "--time-limit", "180"],
  });
  await worker.redis.sadd("_kombu.binding.mails", "mails\x06\x16\x06\x16mails");
  for (let count = 0; count < 1_240; count++) await worker.submitTo("mails", "add", 1, 2);
  await worker.taskStarted(await worker.submit("nap", 60));
  const entering = ["nsenter", "--target", String(container.pid), "--pid", "--mount", "--uts", "--"] as const;
  const { output } = await inTerminal(
    ["/usr/bin/env", ...entering, EXECUTABLE, "doctor"],
    ENVIRONMENT,
    SIZE,
    [],
  );
  return neutral(`$ celery-probe doctor\n${withoutProgress(output)}`, server.port);
}

async function watchedWorld(): Promise<string> {
  await using server = await startServer();
  const start = (name: string, options: object) =>
    startWorker({ server, name: `celery@${name}`, ...options });
  const workers = await Promise.all([
    start("web-1", { concurrency: 4 }),
    start("web-2", { concurrency: 2, celery: "5.2.7" }),
    start("mail-1", { pool: "gevent", concurrency: 20, queues: ["mails"] }),
  ]);
  const [one] = workers;
  for (let count = 0; count < 6; count++) await one.submit("nap", 300);
  const filling = setInterval(() => {
    void one.submit("nap", 300);
    void one.submitTo("mails", "nap", 0.3);
  }, 150);
  const size = { ...SIZE, rows: 14 };
  const { output } = await inTerminal(
    [EXECUTABLE, "watch", "--broker", server.url(), "--interval", "500ms"],
    ENVIRONMENT,
    size,
    [
      ["times", "\x1b[H", 34],
      ["send", "q"],
    ],
  );
  clearInterval(filling);
  for (const worker of workers) await worker.killAll();
  const last = output.split("\x1b[H").at(-1)?.split("\x1b[J")[0] ?? "";
  return neutral(last.replaceAll("\x1b[K", ""), server.port);
}

/** Progress lines are overwritten in a terminal, so they are removed. */
function withoutProgress(output: string): string {
  return output
    .replaceAll("\r\n", "\n")
    .replaceAll(/…[^\n]*?\r\x1b\[K/g, "")
    .replaceAll("\r\x1b[K", "");
}

/** Replaces the broker's place and paths, so that the picture is as far as possible the same on every machine. */
function neutral(text: string, port: number): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(`127.0.0.1:${port}`, "redis:6379")
    .replaceAll(/\/[^\s,]*\/bin\/python[\d.]*/g, "/usr/local/bin/python")
    .replaceAll(/, PYTHONPATH\s+\S+/g, "");
}
