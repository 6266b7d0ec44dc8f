import type { FileLook } from "../machine/parts.ts";
import type { ProcFiles } from "./proc-files.ts";

/** Who a process is to the file system. */
export interface Identity {
  readonly uid: number;
  readonly groups: readonly number[];
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
  // The file system's, which follow the effective ones (proc(5)).
  const [uid, gid] = [numbers("Uid")[3], numbers("Gid")[3]];
  return uid === undefined || gid === undefined ? null : { uid, groups: [gid, ...numbers("Groups")] };
}

/** Whether somebody may write a file, or make one in a folder, by its permission bits; root always may. */
export function mayWrite({ uid, groups }: Identity, { uid: owner, gid, mode }: FileLook): boolean {
  if (uid === 0) return true;
  const shift = uid === owner ? 6 : groups.includes(gid) ? 3 : 0;
  return ((mode >> shift) & 0o2) !== 0;
}
