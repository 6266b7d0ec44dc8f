import { join } from "node:path";
import { nameOf, type Target, TARGETS } from "../../build/targets.ts";
import { muslRoot } from "./base-image.ts";
import { installMissing } from "./debian.ts";
import { ROOT } from "./probe-image.ts";

/** How an executable of dist/ starts on this machine. */
export interface Start {
  /** The program and what comes before its own arguments, absolute. */
  readonly words: readonly [string, ...string[]];
  /** Whether qemu runs it, as its architecture is another. */
  readonly isEmulated: boolean;
}

/**
 * Installs what runs executables of other architectures: qemu, and the libraries of their compilers.
 *
 * @throws Error where it cannot be installed from here
 */
export async function installEmulators(): Promise<void> {
  for (const { arch, machine } of TARGETS) {
    if (arch === process.arch) continue;
    await installMissing({
      [`qemu-${machine}-static`]: "qemu-user-static",
      [`${machine}-linux-gnu-g++`]: `g++-${machine.replace("_", "-")}-linux-gnu`,
    });
  }
}

/** As it is, or by qemu and the libraries of its architecture; what is missing for it is installed. @throws Error where it cannot be */
export async function startOf(
  target: Target,
  executable: string = join(ROOT, "dist", nameOf(target), "celery-probe"),
): Promise<Start> {
  const { machine, libc, dockerArch } = target;
  if (libc === "musl") await installMissing({ "ld-musl-config": "musl" });
  if (target.arch === process.arch) return { words: [executable], isEmulated: false };
  await installEmulators();
  const root = libc === "musl" ? join(await muslRoot(dockerArch), "root") : `/usr/${machine}-linux-gnu`;
  return { words: [`/usr/bin/qemu-${machine}-static`, "-L", root, executable], isEmulated: true };
}
