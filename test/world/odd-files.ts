import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** Everything in the folder that is not a regular file, by its name there. */
export interface OddFiles {
  readonly names: readonly string[];
  readonly path: (name: string) => string;
  /** What each of them is and where, for a later comparison. */
  readonly state: () => readonly string[];
  readonly end: () => Promise<void>;
}

/** Copies of /dev/null and /dev/zero. Their numbers are major and minor. Only root may make them. */
const DEVICES = { null: ["1", "3"], zero: ["1", "5"] } as const;

/**
 * Makes them in a folder of the test: pipe, socket, folder, links to nothing, to themselves and to the pipe. As root it
 * also makes the devices. The machine's own /dev is not changed.
 */
export async function oddFiles(folder: string): Promise<OddFiles> {
  const path = (name: string) => join(folder, name);
  execFileSync("mkfifo", [path("pipe")]);
  mkdirSync(path("folder"));
  symlinkSync("nowhere", path("dangling"));
  symlinkSync("loop", path("loop"));
  symlinkSync("pipe", path("link-to-pipe"));
  const server = createServer().listen(path("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  const devices = Object.entries(DEVICES).flatMap(([name, numbers]) => {
    try {
      execFileSync("mknod", [path(name), "c", ...numbers], { stdio: "ignore" });
      return [name];
    } catch {
      return [];
    }
  });
  const names = ["pipe", "socket", "folder", "dangling", "loop", "link-to-pipe", ...devices];
  return {
    names,
    path,
    state: () =>
      names.map((name) => {
        const { ino, mode, rdev } = lstatSync(path(name));
        return [name, ino, mode, rdev].join(" ");
      }),
    end: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}
