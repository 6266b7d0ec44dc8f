import { writeFile } from "node:fs/promises";
import { execa } from "execa";

/** Page cache, directory entries and inodes (Documentation/admin-guide/sysctl/vm.rst). */
const ALL = "3";

/**
 * Has the kernel forget all files that nobody has mapped, as after a machine's start.
 *
 * @throws Error where that is not allowed
 */
export async function dropPageCache(): Promise<void> {
  // What is not on the disk yet cannot be dropped.
  await execa("sync");
  await writeFile("/proc/sys/vm/drop_caches", ALL);
}
