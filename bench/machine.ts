import { readFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { execa } from "execa";
import { PAIRS } from "../test/world/pairs.ts";
import type { CeleryVenv } from "../test/world/python.ts";
import type { Server } from "../test/world/server.ts";

/** The properties of the machine that the figures depend on, as lines `what: which`. */
export type Machine = readonly (readonly [what: string, which: string])[];

export async function describeMachine(server: Server, celery: CeleryVenv): Promise<Machine> {
  const cores = cpus();
  const pair = PAIRS["5.7.0"];
  return [
    ["processor", `${cores[0]?.model.trim() ?? "unknown"}, ${cores.length} cores`],
    ["memory", `${(totalmem() / 1e9).toFixed(0)} GB`],
    ["system", `${await distribution()}, Linux ${release()}, ${process.arch}`],
    ["Node", process.versions.node],
    ["broker", await brokerVersion(server)],
    ["Celery", `${pair.celery}, kombu ${pair.kombu}, redis-py ${pair.redisPy}`],
    ["Python", (await execa(celery.python, ["--version"])).stdout.replace("Python ", "")],
    ["date", new Date().toISOString().slice(0, 10)],
  ];
}

async function distribution(): Promise<string> {
  const file = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="(.*)"$/m.exec(file)?.[1] ?? "unknown distribution";
}

async function brokerVersion(server: Server): Promise<string> {
  const redis = server.client();
  const info = await redis.info("server");
  redis.disconnect();
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  const version = /^redis_version:(\S+)/m.exec(info)?.[1];
  return valkey === undefined ? `Redis ${version ?? "of unknown version"}` : `Valkey ${valkey}`;
}
