import type { Outcome } from "../outcome.ts";

/** What a file is, without its content. */
export interface FileLook {
  readonly kind: "file" | "folder" | "other";
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Its file system is mounted read-only, where this user could write it otherwise: whatever its mode says. */
  readonly isReadOnly: boolean;
  readonly bytes: number;
  /** When it was written last, in seconds since 1970. */
  readonly modifiedS: number;
}

/** Why a file could not be looked at; `gone` stands for everything but a refusal. */
export type FileProblem = "gone" | "forbidden";

/** Whether a link at the end of a path is followed. Folders on the way to it may be links in either case. */
export type Links = "followed" | "refused";

/** Why a file was not read. */
export interface Unread {
  /** `unfit`: it is no regular file, or too long. */
  readonly kind: "gone" | "forbidden" | "unfit" | "failed";
  /** What it is, such as `a pipe`, or the system's code, such as `EACCES`. */
  readonly detail: string;
}

/** Why a file was not written. */
export interface Unwritten {
  /**
   * `unfit`: something else than a regular file is in its place. `no-folder`: the file's folder is missing.
   * `removed`: somebody has taken away what was written, before it was put there.
   */
  readonly cause: "unfit" | "no-folder" | "read-only" | "forbidden" | "no-space" | "removed" | "other";
  /** What is there, such as `a pipe`, or the system's words. */
  readonly detail: string;
}

/** A file that a run has begun to write and not finished yet, or never. */
export interface Left {
  readonly path: string;
  readonly bytes: number;
  /** When it was written last, in milliseconds since 1970. */
  readonly writtenMs: number;
}

/** Files of this machine, for the commands that look at more than /proc. */
export interface Files {
  /** Follows links. */
  look(path: string): Outcome<FileLook, FileProblem>;
  /** The last `bytes` of a regular file, as UTF-8. */
  tail(path: string, bytes: number): Outcome<string, Unread>;
  /** The first `bytes` of a regular file, as UTF-8. */
  head(path: string, bytes: number): Outcome<string, Unread>;
  /** What would be in the way of a file that is written there; null: nothing. */
  obstacle(path: string): Unwritten | null;
  /**
   * Replaces `path` in one step by a file for its owner alone.
   *
   * @param unique for the name of the file that it is written to first, beside `path`: a UUID
   * @returns why not; null: it is done
   */
  write(path: string, content: string, unique: string): Unwritten | null;
  /** The last `bytes` of what stands on stdin, read to its end or for `withinMs` milliseconds. */
  input(bytes: number, withinMs: number): Promise<string>;
  /** Whether a file is a copy of this executable, one of another version, or none at all. */
  compareWithSelf(path: string): Outcome<"same" | "another-version" | "foreign", Unread>;
  /**
   * Replaces `path` in one step by a copy of this executable, with mode 0755.
   *
   * @param unique as for {@link write}
   * @returns why not; null: it is done
   */
  copySelf(path: string, unique: string): Unwritten | null;
  /** Unfinished files beside `path`: of runs that go on, and of runs that were killed. */
  left(path: string): readonly Left[];
  /** Removes one of them, if this user may. */
  forget(left: Left): void;
}

/** A page of the web. */
export interface WebPage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Fetches a page, redirects not followed; gives what went wrong, in the system's words.
 *
 * @param login `user:password`, for basic auth; empty: none is sent
 */
export type Web = (url: string, login: string, withinMs: number) => Promise<Outcome<WebPage, string>>;

/** Where a server listens: an address with a port, 0 for any that is free; or a socket in the file system. */
export type ListenPlace =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/**
 * Asks the server that listens at a place of this machine for a path; gives what went wrong, in the system's words. With
 * TLS any certificate is fine: it names the server for others, and not this address.
 */
export type AskPlace = (
  place: ListenPlace,
  path: string,
  isTls: boolean,
  withinMs: number,
) => Promise<Outcome<WebPage, string>>;

/** Why a server does not listen. `detail`: the system's words. */
export interface ListenProblem {
  /** `occupied`: a file that is no socket has that path. `tls`: certificate or key cannot be used. */
  readonly cause: "in-use" | "forbidden" | "no-address" | "no-folder" | "occupied" | "tls" | "other";
  readonly detail: string;
}

/** The head of a request over HTTP. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query as the client wrote them. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** What a client gets: a whole body, or a stream that goes on. A HEAD gets the head of either. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A function is called with the stream; what it gives is called when the stream has ended. */
  readonly body: Uint8Array | ((stream: HttpStream) => () => void);
}

/** A stream to one client, who may be slow. */
export interface HttpStream {
  /** Sends now, or as soon as what was sent before has left; until then the newest replaces what waits. */
  send(bytes: Uint8Array): void;
  /** Whether the client has not taken what was sent before. */
  isBehind(): boolean;
}

export interface HttpListener {
  /** Where it listens, as a URL or a path. */
  readonly shown: string;
  /** Ends every connection at once. */
  close(): void;
}

/** A server over HTTP that no client can hold up: see machine/http-server.ts for its bounds. */
export interface HttpServer {
  /** @param tls certificates and key in PEM; null: no TLS */
  listen(
    place: ListenPlace,
    tls: { readonly cert: string; readonly key: string } | null,
    answer: (request: HttpRequest) => HttpAnswer,
  ): Promise<Outcome<HttpListener, ListenProblem>>;
}

/** The terminal that stdout is. */
export interface Terminal {
  /** Characters. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls when its size has changed. */
  onResize(listener: () => void): void;
  /** Calls for each key, Ctrl-C included, once the screen is taken. Nothing where stdin is no terminal. */
  onKey(listener: (key: string) => void): void;
  /** Switches to a screen of its own, which `restore`, and the end of the process however it comes, leaves again. */
  takeScreen(): void;
  restore(): void;
  /** Stops this process, as Ctrl-Z does, with the terminal as it was; returns when it goes on. */
  suspend(): void;
}
