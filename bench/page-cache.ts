import { writeFile } from "node:fs/promises";
import { execa } from "execa";

/** Page cache, directory entries and inodes (Documentation/admin-guide/sysctl/vm.rst). */
const ALL = "3";

/**
 * Makes the kernel drop all files that no process has mapped, as after the start of a machine.
 *
 * @throws Error if that is not allowed
 */
export async function dropPageCache(): Promise<void> {
  // Data that is not yet on the disk cannot be dropped.
  await execa("sync");
  await writeFile("/proc/sys/vm/drop_caches", ALL);
}
