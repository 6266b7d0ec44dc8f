import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { ProcessGroup } from "../world/process-group.ts";
import { freePort } from "../world/server.ts";
import { unpacked } from "./debian.ts";
import { ROOT } from "./probe-image.ts";

export const MONITORING = join(ROOT, "examples/compose/monitoring");

/** `promtool` or `prometheus` from Debian's package. */
export async function fromDebian(command: "promtool" | "prometheus"): Promise<string> {
  return join(await unpacked("prometheus"), "usr/bin", command);
}

/** A series of an answer, and its value. */
export interface Answered {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus. Ends with `await using`. */
export interface Prometheus extends AsyncDisposable {
  query(expression: string): Promise<readonly Answered[]>;
  /** The labels of the firing alerts. */
  firing(): Promise<readonly Readonly<Record<string, string>>[]>;
}

/**
 * Starts Prometheus with the example's configuration. It asks `monitor` instead of the configured target. Everything
 * happens every second, and an alert waits for two seconds.
 *
 * @param others more jobs, by name
 */
export async function startPrometheus(
  monitor: string,
  others: Readonly<Record<string, string>> = {},
): Promise<Prometheus> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const group = await ProcessGroup.start({
    what: "prometheus",
    command: await fromDebian("prometheus"),
    args(folder) {
      configure(folder, monitor, others);
      return [
        ...[
          `--config.file=${join(folder, "prometheus.yaml")}`,
          `--storage.tsdb.path=${join(folder, "data")}`,
        ],
        `--web.listen-address=${address}`,
      ];
    },
    env: () => ({}),
  });
  await group.waitForLog(/Server is ready to receive web requests/);
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(`${path}: ${error ?? status}`);
    return data;
  };
  return {
    async query(expression) {
      const { result } = await get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `query?query=${encodeURIComponent(expression)}`,
      );
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async firing() {
      const { alerts } = await get<{ alerts: { labels: Record<string, string>; state: string }[] }>("alerts");
      return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels);
    },
    [Symbol.asyncDispose]: async () => {
      await group.stop(5_000);
    },
  };
}

interface Configuration {
  global: { scrape_interval: string; evaluation_interval: string };
  scrape_configs: {
    job_name: string;
    static_configs: { targets: string[]; labels?: Record<string, string> }[];
  }[];
}

function configure(folder: string, monitor: string, others: Readonly<Record<string, string>>): void {
  cpSync(MONITORING, folder, { recursive: true });
  const file = join(folder, "prometheus.yaml");
  const configuration = parse(readFileSync(file, "utf8")) as Configuration;
  configuration.global = { scrape_interval: "1s", evaluation_interval: "1s" };
  for (const { targets } of configuration.scrape_configs.flatMap((job) => job.static_configs))
    targets.splice(0, targets.length, monitor);
  for (const [name, target] of Object.entries(others))
    configuration.scrape_configs.push({ job_name: name, static_configs: [{ targets: [target] }] });
  writeFileSync(file, stringify(configuration));
  const alerts = join(folder, "alerts.yaml");
  writeFileSync(alerts, readFileSync(alerts, "utf8").replaceAll(/^( +for:) .*$/gm, "$1 2s"));
}
