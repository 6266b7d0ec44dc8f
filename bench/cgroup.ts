import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A folder where memory cgroups are made, and the name of the file with their peak in bytes. */
interface Hierarchy {
  readonly folder: string;
  readonly peak: "memory.peak" | "memory.max_usage_in_bytes";
}

/** Runs a command in a fresh memory cgroup. Returns the most memory that was charged to it at any time, in bytes. */
export type Charged = <T>(
  work: (procs: string) => Promise<T>,
) => Promise<{ readonly result: T; readonly peakBytes: number }>;

/**
 * Memory cgroups of this machine, version 1 or 2.
 *
 * @returns a text that says why they cannot be made
 */
export async function memoryCgroups(): Promise<Charged | string> {
  const hierarchy = await findHierarchy();
  if (typeof hierarchy === "string") return hierarchy;
  let count = 0;
  const charged: Charged = async (work) => {
    const folder = join(hierarchy.folder, `celery-probe-bench-${process.pid}-${++count}`);
    await mkdir(folder);
    try {
      const result = await work(join(folder, "cgroup.procs"));
      return { result, peakBytes: Number(await readFile(join(folder, hierarchy.peak), "utf8")) };
    } finally {
      await rmdir(folder);
    }
  };
  try {
    await charged(() => Promise.resolve());
    return charged;
  } catch (error) {
    return `no memory cgroup can be made: ${String(error)}`;
  }
}

async function findHierarchy(): Promise<Hierarchy | string> {
  if (process.getuid?.() !== 0) return "needs root";
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  const first = memoryMounts(mounts)[0];
  if (first === undefined) return "needs a cgroup mount with the memory controller";
  if (first.version === 1) return { folder: first.folder, peak: "memory.max_usage_in_bytes" };
  // Unlike other cgroups, the root of a hierarchy may hold processes and give its children the controller.
  await writeFile(join(first.folder, "cgroup.subtree_control"), "+memory").catch(() => undefined);
  return { folder: first.folder, peak: "memory.peak" };
}

/** Mounts of memory cgroups, version 1 first. If there is one of version 1, version 2 has no memory controller. */
export function memoryMounts(mountinfo: string): { readonly folder: string; readonly version: 1 | 2 }[] {
  const found: { folder: string; version: 1 | 2 }[] = [];
  for (const line of mountinfo.split("\n")) {
    const [fields = "", filesystem = ""] = line.split(" - ");
    const folder = fields.split(" ")[4] ?? "";
    const [type, , options = ""] = filesystem.split(" ");
    if (type === "cgroup" && options.split(",").includes("memory")) found.push({ folder, version: 1 });
    if (type === "cgroup2") found.push({ folder, version: 2 });
  }
  return found.sort((a, b) => a.version - b.version);
}
