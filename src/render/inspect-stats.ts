import { isRecord, type Shown, show } from "./inspect-results.ts";
import { bytes, seconds } from "./speech.ts";
import { table, wrapped } from "./table.ts";

/** What matters of `stats` for people; all of it is in the JSON. */
export function statsLines(result: unknown): Shown {
  if (!isRecord(result)) return { summary: null, lines: [show(result)] };
  const { pool, broker, rusage, total, uptime, pid, prefetch_count: prefetch } = result;
  const rows = [
    ["process", show(pid)],
    ["up for", typeof uptime === "number" ? seconds(uptime) : ""],
    ["pool", isRecord(pool) ? poolText(pool) : ""],
    ["prefetch", show(prefetch)],
    ["memory", isRecord(rusage) ? memoryText(rusage) : ""],
    ["broker", isRecord(broker) ? brokerText(broker) : ""],
  ].filter(([, value]) => value !== "");
  const [, ...facts] = table(["", ""], rows);
  return { summary: null, lines: [...facts, ...processLines(pool), ...totalLines(total)] };
}

function poolText(pool: Readonly<Record<string, unknown>>): string {
  return `${poolName(pool)} of ${show(pool["max-concurrency"])}`;
}

/** Celery names the pool from 5.3 on; before, each has keys of its own. */
function poolName(pool: Readonly<Record<string, unknown>>): string {
  const { implementation } = pool;
  if (typeof implementation === "string") {
    return implementation.replace(/^celery\.concurrency\./, "").replace(/:TaskPool$/, "");
  }
  if ("writes" in pool) return "prefork";
  if ("processes" in pool) return "solo";
  if ("threads" in pool) return "threads";
  return "free-threads" in pool ? "eventlet" : "gevent";
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

function totalLines(total: unknown): readonly string[] {
  if (!isRecord(total) || Object.keys(total).length === 0) return ["no task begun yet"];
  const rows = Object.entries(total)
    .sort(([, a], [, b]) => Number(b) - Number(a))
    .map(([name, count]) => [show(count), name]);
  return [
    "tasks begun:",
    ...table(["", ""], rows)
      .slice(1)
      .map((one) => `  ${one}`),
  ];
}
