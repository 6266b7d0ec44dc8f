import { expect, test } from "vitest";
import { readWorkerOptions } from "../../src/celery/worker-options.ts";

test.each<[string, Readonly<Record<string, string>>, string[]?]>([
  ["-b redis://h/1 worker", { broker: "redis://h/1" }],
  ["--broker=redis://h/1 worker", { broker: "redis://h/1" }],
  ["-bredis://h/1 worker", { broker: "redis://h/1" }],
  ["worker -b redis://h/1", { broker: "redis://h/1" }],
  ["worker -n w1@%h", { hostname: "w1@%h" }],
  ["worker --hostname w1", { hostname: "w1" }],
  ["worker --hostname=", { hostname: "" }],
  ["worker -n=w1", { hostname: "=w1" }],
  ["worker -nw1 -nw2", { hostname: "w2" }],
  ["worker -n -c 4", { hostname: "-c" }],
  ["worker -Q a,b", { queues: "a,b" }],
  ["worker -Q a --queues=b", { queues: "b" }],
  ["worker -Qa", { queues: "a" }],
  ["worker -X a", { "exclude-queues": "a" }],
  ["worker -P solo", { pool: "solo" }],
  ["worker --pool=gevent -c100", { pool: "gevent", concurrency: "100" }],
  ["worker -EBc4 -lINFO -Ofair", { concurrency: "4", loglevel: "INFO", optimization: "fair" }, ["E", "B"]],
  ["worker -c 0", { concurrency: "0" }],
  ["worker -c auto", { concurrency: "auto" }],
  ["worker --concurrency=8 extra", { concurrency: "8" }],
  ["worker --time-limit 1e2", { "time-limit": "1e2" }],
  ["worker --time-limit=0.5 --soft-time-limit 9", { "time-limit": "0.5", "soft-time-limit": "9" }],
  ["worker --time-limit x", { "time-limit": "x" }],
  ["worker --time-limit=", { "time-limit": "" }],
  ["worker --without-heartbeat", {}, ["without-heartbeat"]],
  ["worker --without-mingle --without-gossip", {}, ["without-mingle", "without-gossip"]],
  ["worker -l --without-gossip", { loglevel: "--without-gossip" }],
  ["worker --own-option -c 2 value", { concurrency: "2" }, ["own-option"]],
  ["worker -- -c 2 --without-gossip", {}],
  [
    "worker -s /x/schedule -S /x/state -f /x/log -I mod -c 3",
    {
      "schedule-filename": "/x/schedule",
      statedb: "/x/state",
      logfile: "/x/log",
      include: "mod",
      concurrency: "3",
    },
  ],
  ["worker --schedule /x/schedule", { "schedule-filename": "/x/schedule" }],
])("options have click's meaning in %s", (words, values, flags = []) => {
  const given = readWorkerOptions(words.split(" "));
  expect([Object.fromEntries(given?.values ?? []), [...(given?.flags ?? [])]]).toEqual([values, flags]);
});
