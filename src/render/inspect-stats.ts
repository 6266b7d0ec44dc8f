import { isCount } from "../numbers.ts";
import { isRecord, type Shown, show } from "./inspect-results.ts";
import { bytes, seconds } from "./speech.ts";
import { table, wrapped } from "./table.ts";

/**
 * The important parts of `stats` for people. The JSON contains everything.
 *
 * @param poolName null: the answer does not name the pool
 */
export function statsLines(result: unknown, poolName: string | null): Shown {
  if (!isRecord(result)) return { summary: null, lines: [show(result)] };
  const { pool, broker, rusage, total, uptime, pid, prefetch_count: prefetch } = result;
  const rows = [
    ["process", show(pid)],
    ["up for", typeof uptime === "number" ? seconds(uptime) : ""],
    ["pool", isRecord(pool) ? `${show(poolName ?? "")} of ${show(pool["max-concurrency"])}`.trim() : ""],
    ["prefetch", show(prefetch)],
    ["memory", isRecord(rusage) ? memoryText(rusage) : ""],
    ["broker", isRecord(broker) ? brokerText(broker) : ""],
  ].filter(([, value]) => value !== "");
  const [, ...facts] = table(["", ""], rows);
  return { summary: null, lines: [...facts, ...processLines(pool), ...totalLines(total)] };
}

/** Linux counts in kilobytes (getrusage(2)). */
function memoryText({ maxrss }: Readonly<Record<string, unknown>>): string {
  return typeof maxrss === "number" ? `${bytes(maxrss * 1_024)} at most, of the main process` : "";
}

function brokerText({
  transport,
  hostname,
  port,
  virtual_host: db,
}: Readonly<Record<string, unknown>>): string {
  return `${show(transport)}://${show(hostname)}:${show(port)}/${show(db).replace(/^\//, "")}`;
}

function processLines(pool: unknown): readonly string[] {
  const processes = isRecord(pool) ? pool["processes"] : undefined;
  return Array.isArray(processes) && processes.length > 0
    ? wrapped(
        "children  ",
        processes.map((one: unknown) => show(one)),
      )
    : [];
}

function countIn(value: unknown): number {
  return isCount(value) ? value : 0;
}

function totalLines(total: unknown): readonly string[] {
  if (!isRecord(total) || Object.keys(total).length === 0) return ["no task begun yet"];
  const rows = Object.entries(total)
    .sort(([, a], [, b]) => countIn(b) - countIn(a))
    .map(([name, count]) => [show(count), name]);
  return [
    "tasks begun:",
    ...table(["", ""], rows)
      .slice(1)
      .map((one) => `  ${one}`),
  ];
}
