import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Container, startContainer } from "../world/container.ts";
import type { Program } from "../world/contained-program.ts";
import { celeryVenv } from "../world/python.ts";
import { type Server, startServer } from "../world/server.ts";
import { childrenOf, commandOf } from "../world/proc.ts";
import { ROOT } from "./probe-image.ts";

const SUPERVISOR = { name: "supervisor", packages: ["supervisor==4.3.0"] };

/** As in restart_unhealthy.py: a new program is left alone for this long, and must fail this often. */
const SETTLED_MS = 60_000;

let server: Server;
let container: Container;
let folder: string;
let supervisord: Program;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "celery-probe-supervisor-"));
  for (const file of ["supervisor/supervisord.conf", "supervisor/restart_unhealthy.py", "compose/tasks.py"])
    cpSync(join(ROOT, "examples", file), join(folder, file.replace(/^.*\//, "")));
  // A stopped worker does not react to SIGTERM. supervisord kills it after this time.
  const conf = join(folder, "supervisord.conf");
  writeFileSync(conf, readFileSync(conf, "utf8").replaceAll("stopwaitsecs=60", "stopwaitsecs=2"));
  [server, container] = await Promise.all([startServer(), startContainer()]);
  const venv = await celeryVenv("5.7.0", { also: SUPERVISOR });
  supervisord = await container.start({
    what: "supervisord",
    // Its programs write to /dev/stdout, so that must be a pipe, as in a container. Node would make a socket.
    command: "/bin/bash",
    args: () => [
      ...["-c", 'exec > >(cat) 2>&1; exec "$@"', "bash", venv.python, "-m", "supervisor.supervisord"],
      ...["--configuration", conf],
    ],
    env: () => ({
      PATH: `${join(venv.folder, "bin")}:${join(ROOT, "dist")}:/usr/bin:/bin`,
      CELERY_BROKER_URL: server.url(),
      PYTHONDONTWRITEBYTECODE: "1",
    }),
  });
  await Promise.all(
    ["fast", "slow"].map((name) =>
      supervisord.waitForLog(new RegExp(`${name}@\\S+ ready\\.`), { timeoutMs: 60_000 }),
    ),
  );
});

afterAll(async () => {
  await container.stop();
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe("examples/supervisor", () => {
  test("a stopped worker is restarted, a busy one is not, and nothing happens within the first minute", async () => {
    const [fast, slow] = [pidOf("fast"), pidOf("slow")];
    // Longer than it takes to find that the other one is stopped.
    const submit = `from tasks import nap; nap.apply_async((${SETTLED_MS / 1_000 + 60},), queue="slow")`;
    const { python } = await celeryVenv("5.7.0", { also: SUPERVISOR });
    const sent = await container.run("/bin/sh", ["-c", `cd ${folder} && exec ${python} -c '${submit}'`], {
      CELERY_BROKER_URL: server.url(),
    });
    expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
    const began = performance.now();
    process.kill(fast, "SIGSTOP");
    await supervisord.waitForLog(/restarting fast\n/, { timeoutMs: 150_000 });
    expect(performance.now() - began).toBeGreaterThan(SETTLED_MS * 0.8);
    const said = supervisord.log.match(/^fast, \d of 3: unhealthy: stopped: .*$/gm) ?? [];
    expect(said.map((line) => line.slice(0, "fast, 1 of 3".length))).toEqual([
      "fast, 1 of 3",
      "fast, 2 of 3",
      "fast, 3 of 3",
    ]);
    await supervisord.waitForLog(/fast@\S+ ready\./, {
      from: supervisord.log.indexOf("restarting fast"),
      timeoutMs: 60_000,
    });
    expect(pidOf("fast")).not.toBe(fast);
    expect(pidOf("slow")).toBe(slow);
    expect(supervisord.log).not.toMatch(/slow, 1 of 3/);
  }, 300_000);
});

/** The main process of a worker, a child of supervisord. @throws Error if there is no such process */
function pidOf(name: string): number {
  const pid = childrenOf(supervisord.pid).find((child) =>
    commandOf(child).some((word) => word.startsWith(`${name}@`) && commandOf(child).includes("worker")),
  );
  if (pid === undefined) throw new Error(`no worker ${name} runs`);
  return pid;
}
