import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../src");

/** The code of each file of `src/`, without comments, by its path. */
const CODE = new Map(
  readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => [file, withoutComments(readFileSync(join(SOURCE, file), "utf8"))] as const),
);

function withoutComments(code: string): string {
  return code.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** What Celery and kombu say stands in one file, or a room of its own: others ask that one, so that all say the same. */
test.each([
  ["kombu's separator", /"\\x06\\x16"/, ["broker/keys.ts"]],
  ["kombu's bindings", /_kombu\.binding/, ["broker/keys.ts"]],
  ["how soon a heartbeat is heard", /\b2_?500\b/, ["celery/heartbeat.ts"]],
  ["the environment of a process", /\/environ\b/, ["worker/environment.ts"]],
  // What `inspect` shows of an answer as it is.
  [
    "the pool in stats",
    /max-concurrency|max-tasks-per-child"\]/,
    ["celery/pool.ts", "render/inspect-stats.ts"],
  ],
  ["the class of a pool", /\bimplementation\b/, ["celery/pool.ts"]],
  ["when a task was begun", /\btime_start\b/, ["celery/tasks.ts", "render/inspect-tasks.ts"]],
  ["the key of deliveries", /\["unacked_(?:index_)?key"\]/, ["celery/transport-options.ts"]],
  ["options of the transport", /\["visibility_timeout"\]/, ["celery/transport-options.ts"]],
  ["the file of a schedule", /"celerybeat-schedule"/, ["celery/beat.ts"]],
  ["the name of a beat", /"celerybeat@?"/, ["celery/node-name.ts"]],
  ["the queue that is consumed by default", /DEFAULT_QUEUE = /, ["celery/queues.ts"]],
  ["a distance between words", /Math\.min\(\s*\(before|function (?:distance|slips)\b/, ["slips.ts"]],
])("%s has one home", (_, pattern, homes) => {
  const found = [...CODE].filter(([, code]) => pattern.test(code)).map(([file]) => file);
  expect(found.sort()).toEqual(homes);
});

test("settings are asked for by their names of today, and the variables of brokers are in the table of options", () => {
  const others = [...CODE].flatMap(([file, code]) => {
    if (["celery/settings.ts", "celery/every-setting.ts", "cli/broker-options.ts"].includes(file)) return [];
    // Names that a sentence says are no readers.
    const names = code.match(/["'](?:CELERYD?|CELERYBEAT)_(?!PROBE_)[A-Z_]+["']/g) ?? [];
    return names.map((name) => `${file}: ${name}`);
  });
  expect(others).toEqual([]);
  const readers = [...CODE].flatMap(([file, code]) =>
    (code.match(/\[["'](?:task|worker|broker|beat|result|redbeat)_\w+["']\]/g) ?? []).map(
      (name) => `${file}: ${name}`,
    ),
  );
  expect(readers).toEqual([]);
});
