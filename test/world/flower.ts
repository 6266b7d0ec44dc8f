import { freePort } from "./server.ts";
import { ProcessGroup } from "./process-group.ts";
import { celeryVenv } from "./python.ts";

/** A real Flower from PyPI. Ends with `await using`. */
export interface Flower extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** @param args of `celery flower` */
export async function startFlower(brokerUrl: string, args: readonly string[] = []): Promise<Flower> {
  const venv = await celeryVenv("5.7.0", { also: { name: "flower", packages: ["flower==2.0.1"] } });
  const port = await freePort();
  const flower = await ProcessGroup.start({
    what: "flower",
    command: venv.celery,
    args: () => ["-b", brokerUrl, "flower", "--address=127.0.0.1", `--port=${port}`, ...args],
    env: (folder) => ({ PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", PYTHONUNBUFFERED: "1" }),
  });
  await flower.waitForLog(/Connected to redis/);
  return {
    port,
    pid: flower.pid,
    async [Symbol.asyncDispose]() {
      await flower.stop(0);
    },
  };
}
