import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container } from "./container.ts";

/** Sets the host names of a container. Their addresses can change while programs run there. */
export async function nameHosts(
  container: Container,
  addresses: Readonly<Record<string, readonly string[]>>,
): Promise<(addresses: Readonly<Record<string, readonly string[]>>) => void> {
  const file = join(container.folder, "hosts");
  const write = (named: typeof addresses): void => {
    const lines = Object.entries(named).flatMap(([name, list]) =>
      list.map((address) => `${address} ${name}`),
    );
    writeFileSync(file, `127.0.0.1 localhost\n${lines.join("\n")}\n`);
  };
  write(addresses);
  const mounted = await container.run("/usr/bin/mount", ["--bind", file, "/etc/hosts"]);
  if (mounted.exitCode !== 0) throw new Error(`/etc/hosts: ${mounted.stderr}`);
  return write;
}
