import type { Installation } from "../install/install.ts";
import type { Unwritten } from "../machine/parts.ts";
import { brief } from "./speech.ts";

/** The result of an installation, in a sentence. */
export function installWords(done: Installation, version: string): string {
  const path = brief(done.path);
  switch (done.kind) {
    case "installed":
      return `celery-probe ${version} is installed as ${path}`;
    case "replaced":
      return `celery-probe ${version} is installed as ${path}, and replaces another`;
    case "already-there":
      return `celery-probe ${version} is already there as ${path}`;
    case "folder-in-the-way":
      return `${path} is a folder: expected a file, or a name that is free`;
    case "no-file":
      return `${path} is not a file: expected a file, or a name that is free`;
    case "foreign":
      return `${path} is another program's file, and was left as it is: expected another name`;
    case "unreadable":
      return `${path} may not be read by this user`;
    case "failed":
      return unwrittenWords(done.path, done.problem);
    default:
      return done satisfies never;
  }
}

/** Why a file could not be written. */
export function unwrittenWords(path: string, { cause, detail }: Unwritten): string {
  if (cause === "unfit") return `${brief(path)} is ${detail}: expected a file, or a name that is free`;
  return `${brief(path)} could not be written: ${cause === "other" ? `${CAUSES.other} (${detail})` : CAUSES[cause]}`;
}

const CAUSES: { readonly [C in Exclude<Unwritten["cause"], "unfit">]: string } = {
  "no-folder": "its folder is not there",
  "read-only": "the file system is read-only",
  forbidden: "this user may not write there",
  "no-space": "no space is left",
  removed: "another program removes the new file",
  other: "the system refused",
};
