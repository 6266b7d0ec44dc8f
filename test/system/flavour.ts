import { join } from "node:path";
import { nameOf, type Target, TARGETS } from "../../build/targets.ts";
import { muslRoot } from "./base-image.ts";
import { installMissing } from "./debian.ts";
import { ROOT } from "./probe-image.ts";

/** How an executable of dist/ starts on this machine. */
export interface Start {
  /** The program and the arguments before its own arguments, as absolute paths. */
  readonly words: readonly [string, ...string[]];
  /** Whether qemu runs it, because its architecture differs from this machine's. */
  readonly isEmulated: boolean;
}

/**
 * Installs what runs executables of other architectures: qemu, and the libraries of their compilers.
 *
 * @throws Error if it cannot be installed here
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

/**
 * Starts it directly, or with qemu and the libraries of its architecture. Missing packages are installed. @throws Error
 * if they cannot be installed
 */
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
