import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { startServe } from "../e2e/start-serve.ts";
import { type Flower, startFlower } from "../world/flower.ts";
import { type Server, startServer } from "../world/server.ts";
import { startWorker, type Worker } from "../world/worker.ts";
import { type Answered, fromDebian, MONITORING, type Prometheus, startPrometheus } from "./prometheus.ts";

const read = (file: string) => readFileSync(join(MONITORING, file), "utf8");

describe("the files of examples/compose/monitoring", () => {
  test.each([
    ["check", "config", "prometheus.yaml"],
    ["check", "rules", "alerts.yaml"],
    ["test", "rules", "alerts-test.yaml"],
  ])("promtool %s %s %s", async (...words) => {
    await execa(await fromDebian("promtool"), words, { cwd: MONITORING });
  });

  test("have tests of when each alert fires and when it does not", () => {
    const { groups } = parse(read("alerts.yaml")) as { groups: { rules: { alert: string }[] }[] };
    const { tests } = parse(read("alerts-test.yaml")) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const cases = tests.flatMap((one) => one.alert_rule_test);
    for (const { alert } of groups.flatMap(({ rules }) => rules)) {
      const fires = cases
        .filter(({ alertname }) => alertname === alert)
        .map((one) => one.exp_alerts.length > 0);
      expect(fires, alert).toContain(true);
      if (alert !== "CeleryWorkerNameTwice") expect(fires, alert).toContain(false);
    }
  });
});

describe("a real Prometheus", () => {
  let server: Server;
  let prefork: Worker;
  let solo: Worker;
  let serve: Awaited<ReturnType<typeof startServe>>;
  let flower: Flower;
  let prometheus: Prometheus;
  const startPrefork = () => startWorker({ server, name: "celery@fork", concurrency: 2 });

  beforeAll(async () => {
    server = await startServer();
    [prefork, solo, flower] = await Promise.all([
      startPrefork(),
      startWorker({ server, name: "celery@solo", pool: "solo", queues: ["solo"] }),
      startFlower(server.url()),
    ]);
    // Remote, because other files of this suite also have workers on this machine.
    serve = await startServe([
      ...["--broker", server.url(), "--placement", "remote", "--busy-grace", "3s", "--queue", "nobodys"],
    ]);
    prometheus = await startPrometheus(`127.0.0.1:${serve.port}`, { flower: `127.0.0.1:${flower.port}` });
  });

  afterAll(async () => {
    for (const part of [prometheus, flower, serve, solo, prefork]) await part[Symbol.asyncDispose]();
    await server.stop();
  });

  /** The values of an expression, by one of its labels. */
  const by = async (label: string, expression: string) =>
    Object.fromEntries(
      (await prometheus.query(expression)).map(({ metric, value }: Answered) => [metric[label] ?? "", value]),
    );

  test("scrapes it as OpenMetrics, and promtool reads both formats", async () => {
    await expect.poll(() => by("job", "up")).toEqual({ celery: 1, flower: 1 });
    const promtool = await fromDebian("promtool");
    const complaints = async (accept: string) => {
      const input = await (await serve.get("/metrics", { accept })).text();
      const { stderr } = await execa(promtool, ["check", "metrics"], { input, reject: false });
      return stderr.split("\n").sort();
    };
    // These names come from celery-exporter.
    const suffix = 'non-histogram and non-summary metrics should not have "_count" suffix';
    const adopted = [`celery_active_process_count ${suffix}`, `celery_active_worker_count ${suffix}`];
    expect(await complaints("text/plain")).toEqual(adopted);
    // promtool reads every format as text. In text, the help of a counter has the whole name.
    const open = await complaints("application/openmetrics-text;version=1.0.0");
    expect(open.filter((line) => !line.endsWith("_total no help text"))).toEqual(adopted);
  });

  test("has the same values from it and from Flower while a task runs", async () => {
    await prefork.taskStarted(await prefork.submit("nap", 6));
    const executing = { "celery@fork": 1, "celery@solo": 0 };
    await expect.poll(() => by("worker", "celery_worker_tasks_active")).toEqual(executing);
    await expect
      .poll(() => by("worker", "flower_worker_number_of_currently_executing_tasks"))
      .toEqual(executing);
    const online = { "celery@fork": 1, "celery@solo": 1 };
    expect(await by("worker", "celery_worker_up")).toEqual(online);
    expect(await by("worker", "flower_worker_online")).toEqual(online);
  });

  // The queries in the dashboards and alerts of celery-exporter that need no events, grouped and filtered like their
  // authors do.
  test.each([
    ["count(celery_worker_up{CHOSEN} == 1)", 1],
    ["count(group by (queue_name) (celery_queue_length{CHOSEN}))", 1],
    ["sum(celery_worker_tasks_active{CHOSEN})", 1],
    ["sum(celery_queue_length{CHOSEN}) by (queue_name)", 3],
    ["sum(celery_queue_length{CHOSEN}) by (job, namespace, queue_name)", 3],
    ['celery_worker_up{job=~".*celery.*"} == 1', 2],
    ["celery_active_worker_count{CHOSEN}", 3],
    ["celery_active_process_count{CHOSEN}", 2],
  ])("answers celery-exporter's %s", async (query, count) => {
    const chosen = 'cluster="", namespace="compose", job=~"celery", queue_name!~"None"';
    await expect
      .poll(async () => (await prometheus.query(query.replace("CHOSEN", chosen))).length)
      .toBe(count);
  });

  test("fires for a killed worker, a hung one and a queue without a worker, until they are healthy", async () => {
    const alerts = async () =>
      (await prometheus.firing()).map(({ alertname = "", reason, queue_name: queue }) =>
        [alertname, reason ?? queue].join(" "),
      );
    await expect.poll(alerts).toEqual([]);
    await solo.submitTo("nobodys", "nap", 0);
    await prefork.killAll();
    // If two workers fall silent together, nobody knows which of them is gone as long as one subscriber is left.
    await expect.poll(alerts).toContain("CeleryWorkersUnhealthy gone");
    await solo.taskStarted(await solo.submit("nap", 10));
    const all = [
      "CeleryNoWorkers ",
      "CeleryQueueWithoutWorker nobodys",
      "CeleryWorkersUnhealthy gone",
      "CeleryWorkersUnhealthy hung",
    ];
    await expect.poll(async () => (await alerts()).sort()).toEqual(all);
    expect(await by("worker", "celery_worker_up")).toEqual({ "celery@fork": 0, "celery@solo": 0 });
    // Flower notices this only for workers that say goodbye.
    expect(await by("worker", "flower_worker_online")).toEqual({ "celery@fork": 1, "celery@solo": 1 });
    prefork = await startPrefork();
    await server.client().del("nobodys");
    await expect.poll(alerts).toEqual([]);
    expect(await by("worker", "celery_worker_up")).toEqual({ "celery@fork": 1, "celery@solo": 1 });
  });

  test("has a series for each query of the dashboard", async () => {
    const dashboard = JSON.parse(read("dashboard.json")) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    expect(dashboard.panels.length).toBeGreaterThan(10);
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const query = expr
          .replaceAll("$job", ".*")
          .replaceAll("$namespace", ".*")
          .replaceAll("$__rate_interval", "5s");
        await expect
          .poll(() => prometheus.query(`count_over_time((${query})[1m:1s])`), { message: title })
          .not.toEqual([]);
      }
    }
  });

  test("fires once for an outage of the broker", async () => {
    const { port } = server;
    await server.stop();
    await expect
      .poll(async () => (await prometheus.firing()).map(({ alertname }) => alertname))
      .toEqual(["CeleryBrokerDown"]);
    server = await startServer({ port });
    await expect.poll(() => prometheus.firing()).toEqual([]);
  });
});
