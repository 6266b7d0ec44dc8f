import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { CACHE_FOLDER } from "../world/cache.ts";
import { ProcessGroup } from "../world/process-group.ts";
import { installMissing, searchPath } from "./debian.ts";
import { Docker } from "./docker.ts";

/** What `dockerd` itself and the tests beside it need. */
const PACKAGES = {
  dockerd: "docker.io",
  docker: "docker.io",
  iptables: "iptables",
  ip: "iproute2",
  unshare: "util-linux",
} as const;

/** Containers get ten seconds by default. Ours are removed before, so this matters only after a failure. */
const STOP_MS = 20_000;

/** `sun_path` of a Unix socket holds 108 bytes with the final zero. containerd's is the longest that we use. */
const LONGEST_SOCKET = 107;
const CONTAINERD_SOCKET = "exec/containerd/containerd.sock.ttrpc";

/** A Docker engine that works, and how to release it. */
export interface Engine {
  readonly docker: Docker;
  /** Whether it existed before us. Then its content is not ours. */
  readonly isBorrowed: boolean;
  /** A process in the network of our own engine, which cannot reach anything outside. */
  readonly networkPid: number | null;
  /** Ends what was started here. Does nothing to a borrowed engine. */
  stop(): Promise<void>;
}

/**
 * The Docker engine that already answers, or one of our own.
 *
 * Our own engine runs in fresh network, mount and process namespaces. Its bridge, firewall rules and mounts never
 * appear on this machine. Its containers reach the outside only by `openWayOut`. However the engine ends, the kernel
 * then ends everything that it has started. Its images stay in `.cache/docker/` for the next run.
 *
 * @throws Error that says what is needed if there is no engine and none can be started
 */
export async function startEngine(): Promise<Engine> {
  const present = new Docker({});
  if (await present.answers()) return borrowed(present);
  if (process.getuid?.() !== 0) {
    throw new Error(
      "no Docker engine answers (docker info) and starting one takes root: start one, or run as root",
    );
  }
  await installMissing(PACKAGES);
  // On a machine with an init system, installing the package has started an engine.
  if (await present.answers()) return borrowed(present);
  return startOwn();
}

async function borrowed(docker: Docker): Promise<Engine> {
  process.stderr.write(`using the Docker engine that answers here (${await docker.serverVersion()})\n`);
  return { docker, isBorrowed: true, networkPid: null, stop: () => Promise.resolve() };
}

async function startOwn(): Promise<Engine> {
  const began = performance.now();
  const data = join(CACHE_FOLDER, "docker");
  await mkdir(data, { recursive: true });
  const group = await ProcessGroup.start({
    what: "dockerd",
    command: "unshare",
    args: (folder) => [
      ...["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"],
      "dockerd",
      ...["--data-root", data],
      ...["--exec-root", join(folder, "exec")],
      ...["--pidfile", join(folder, "dockerd.pid")],
      ...["--host", socketIn(folder)],
    ],
    env: () => ({ PATH: searchPath() }),
  });
  try {
    if (join(group.folder, CONTAINERD_SOCKET).length > LONGEST_SOCKET) {
      throw new Error(`'${group.folder}' is too long for a Unix socket: set TMPDIR to a shorter folder`);
    }
    await group.waitForLog(/API listen on/, { timeoutMs: 60_000 });
    // In a new network even the loopback is down, and ports are published there.
    await execa("nsenter", ["--target", String(group.pid), "--net", "ip", "link", "set", "lo", "up"], {
      env: { PATH: searchPath() },
    });
    const docker = new Docker({ DOCKER_HOST: socketIn(group.folder), PATH: searchPath() });
    await removeLeftovers(docker);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    process.stderr.write(`started Docker engine ${await docker.serverVersion()} of our own … ${seconds} s\n`);
    return { docker, isBorrowed: false, networkPid: group.pid, stop: () => stopOwn(group) };
  } catch (error) {
    await stopOwn(group);
    throw error;
  }
}

function socketIn(folder: string): string {
  return `unix://${join(folder, "docker.sock")}`;
}

/** A killed run may have left containers in the data root. In our own engine, everything is ours. */
async function removeLeftovers(docker: Docker): Promise<void> {
  for (const kind of ["container", "network", "volume", "image"]) {
    await docker.run([kind, "prune", "--force"]);
  }
  // Each change of the sources leaves a gigabyte. The rest is kept, so that the next run need not fetch npm's packages.
  await docker.run(["builder", "prune", "--force", "--keep-storage", "3GB"]);
}

/**
 * `unshare` holds SIGTERM back while its child runs (util-linux, sys-utils/unshare.c). So a signal to the whole group
 * reaches only `dockerd`, which stops its containers and then itself.
 */
async function stopOwn(group: ProcessGroup): Promise<void> {
  group.signalAll("SIGTERM");
  await Promise.race([group.ended, pause(STOP_MS, undefined, { ref: false })]);
  await group.stop(0);
}
