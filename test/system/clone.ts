import { cpSync, existsSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Target } from "../../build/targets.ts";
import { shellCommands } from "../shell-commands.ts";
import type { SharedEngine } from "./engine-setup.ts";
import type { Docker } from "./docker.ts";
import { buildArgs, ROOT } from "./probe-image.ts";
import { openWayOut } from "./way-out.ts";

/** Puts the content of a fresh clone into an empty folder, including uncommitted changes. */
export async function copyOfClone(folder: string): Promise<void> {
  const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { stdout } = await execa("git", listed, { cwd: ROOT });
  for (const name of stdout.split("\0").filter((one) => one !== "" && existsSync(join(ROOT, one))))
    cpSync(join(ROOT, name), join(folder, name));
}

/**
 * Runs README.md's command for the image in a clone, on our own base images. npm's and Debian's packages come from the
 * same sources as on this machine.
 *
 * @param clone its folder
 * @param docker the client of that engine
 */
export async function buildInClone(
  clone: string,
  docker: Docker,
  { bases, networkPid }: SharedEngine,
  { tag, libc }: { readonly tag: string; readonly libc: Target["libc"] },
): Promise<void> {
  const command = shellCommands(
    /^docker build .*$/m.exec(readFileSync(join(clone, "README.md"), "utf8"))?.[0] ?? "",
  );
  const [, , ...words] = command[0]?.words ?? [];
  const context = words.pop();
  if (context === undefined) throw new Error("README.md has no line with docker build");
  const node = `${tag}-node`;
  await using wayOut = networkPid === null ? null : await openWayOut(networkPid);
  const proxy = wayOut === null ? {} : await proxyOf(docker, wayOut.port);
  try {
    await nodeThatKnowsRegistry(docker, bases.node, node);
    const values = { ...proxy, LIBC: libc, NODE_BASE: node, BASE: bases.slim, MUSL_BASE: bases.musl };
    const named = words.map((word) => (word === "celery-probe" ? tag : word));
    await docker.build([...named, ...buildArgs(values), context], clone);
  } finally {
    await docker.run(["image", "rm", "--force", node]);
  }
}

/** Names that every build accepts. They do not get into the image. */
async function proxyOf(docker: Docker, port: number): Promise<Readonly<Record<string, string>>> {
  // An engine that has just started does not name the gateway of its bridge. It is the first address there.
  const format = "{{(index .IPAM.Config 0).Subnet}}";
  const subnet = await docker.run(["network", "inspect", "--format", format, "bridge"]);
  const url = `http://${subnet.replace(/0\/\d+$/, "1")}:${port}`;
  return { http_proxy: url, https_proxy: url };
}

/**
 * Users with their own registry have such an image: it knows the registry and the authorities that have signed for it.
 */
async function nodeThatKnowsRegistry(docker: Docker, base: string, tag: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-node-"));
  try {
    const registry = await execa("npm", ["config", "get", "registry"], { cwd: folder });
    await writeFile(join(folder, "npmrc"), `registry=${registry.stdout}\n`);
    const { NODE_EXTRA_CA_CERTS: authorities = "" } = process.env;
    if (authorities === "") await writeFile(join(folder, "authorities.pem"), "");
    else await copyFile(authorities, join(folder, "authorities.pem"));
    const lines = [
      `FROM ${base}`,
      "COPY npmrc /usr/local/etc/npmrc",
      "COPY authorities.pem /etc/authorities.pem",
      "ENV NODE_EXTRA_CA_CERTS=/etc/authorities.pem",
    ];
    await docker.run(["build", "--quiet", "--tag", tag, "--file", "-", folder], lines.join("\n"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
