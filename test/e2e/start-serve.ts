import { until } from "../world/until.ts";
import { startProbe } from "./probe.ts";

/** A `serve` on a free port that asks the fleet once a second. Ends with `await using`. */
export async function startServe(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const where = args.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const running = startProbe(["serve", "--interval", "1s", ...where, ...args], env);
  let log = "";
  running.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  await until("it listens", () => Promise.resolve(/^listening on \S+\n/.test(log)));
  const [, shown = ""] = /^listening on (\S+)/.exec(log) ?? [];
  const port = Number(/:(\d+)$/.exec(shown)?.[1] ?? 0);
  return {
    running,
    shown,
    port,
    log: () => log,
    get: (path: string, headers: Readonly<Record<string, string>> = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers }),
    status: async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status,
    text: async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
    async [Symbol.asyncDispose]() {
      running.kill("SIGTERM");
      await running;
    },
  };
}
