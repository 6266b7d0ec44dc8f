import type { FileLook } from "../machine/parts.ts";
import type { ProcFiles } from "./proc-files.ts";

/** The user and groups of a process, as the file system sees them. */
export interface Identity {
  readonly uid: number;
  readonly groups: readonly number[];
  /**
   * It may write whatever the mode is (CAP_DAC_OVERRIDE): it is root, and its container has not dropped this
   * capability.
   */
  readonly overrides: boolean;
}

/** Null: the process is gone. */
export function identityOf(proc: ProcFiles, pid: number): Identity | null {
  const status = proc.read(`/proc/${pid}/status`);
  if (!status.ok) return null;
  const numbers = (name: string) =>
    (new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status.value)?.[1] ?? "")
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  // The ids for the file system, which follow the effective ids (proc(5)).
  const [uid, gid] = [numbers("Uid")[3], numbers("Gid")[3]];
  if (uid === undefined || gid === undefined) return null;
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status.value)?.[1];
  const overrides =
    capabilities === undefined ? uid === 0 : (BigInt(`0x${capabilities}`) & CAP_DAC_OVERRIDE) !== 0n;
  return { uid, groups: [gid, ...numbers("Groups")], overrides };
}

/** capabilities(7): number 1. */
const CAP_DAC_OVERRIDE = 0b10n;

/** Whether a process may write a file, or create one in a folder, by the permission bits. */
export function mayWrite({ uid, groups, overrides }: Identity, { uid: owner, gid, mode }: FileLook): boolean {
  if (overrides) return true;
  const shift = uid === owner ? 6 : groups.includes(gid) ? 3 : 0;
  return ((mode >> shift) & 0o2) !== 0;
}
