import { lstatSync, statSync, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { failure, type Outcome, success } from "../outcome.ts";
import type { ListenPlace, ListenProblem } from "./parts.ts";

/** The number of connections that may wait to be accepted. The kernel may allow fewer. */
const BACKLOG = 511;

/** Starts to listen. Returns the place in the form that people write. */
export async function bindTo(
  server: Server,
  place: ListenPlace,
  scheme: "http" | "https",
): Promise<Outcome<string, ListenProblem>> {
  if (place.kind === "socket") {
    const problem = await clearSocket(place.path);
    if (problem !== null) return failure(problem);
  }
  const problem = await new Promise<ListenProblem | null>((resolve) => {
    server.once("error", (error) => {
      resolve(problemOf(error));
    });
    const where = place.kind === "tcp" ? { host: place.host, port: place.port } : { path: place.path };
    server.listen({ ...where, backlog: BACKLOG }, () => {
      resolve(null);
    });
  });
  if (problem !== null) return failure(place.kind === "socket" ? inFolder(place.path, problem) : problem);
  const address = server.address();
  if (address === null || typeof address === "string") return success(`unix:${address ?? ""}`);
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return success(`${scheme}://${host}:${address.port}`);
}

/** Removes the socket of a run that was killed. A socket with a listener stays, and so does any other file. */
async function clearSocket(path: string): Promise<ListenProblem | null> {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return null;
    if (!stats.isSocket()) return { cause: "occupied", detail: "another file is there" };
    if (await isListenedTo(path)) return { cause: "in-use", detail: "EADDRINUSE" };
    unlinkSync(path);
    return null;
  } catch (error) {
    return problemOf(error as NodeJS.ErrnoException);
  }
}

function isListenedTo(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A full backlog also means that a server listens there.
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code === "EAGAIN");
    });
  });
}

/** libuv reports EACCES if the folder of a socket does not exist (`uv_pipe_bind2`). */
function inFolder(path: string, problem: ListenProblem): ListenProblem {
  const isThere = statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() === true;
  return isThere ? problem : { cause: "no-folder", detail: "ENOENT" };
}

const CAUSES: Readonly<Record<string, ListenProblem["cause"]>> = {
  EADDRINUSE: "in-use",
  EACCES: "forbidden",
  EPERM: "forbidden",
  EADDRNOTAVAIL: "no-address",
  ENOTFOUND: "no-address",
  EAI_AGAIN: "no-address",
  ENOENT: "no-folder",
  ENOTDIR: "no-folder",
};

function problemOf({ code = "", message }: NodeJS.ErrnoException): ListenProblem {
  return { cause: CAUSES[code] ?? "other", detail: code === "" ? message : code };
}
