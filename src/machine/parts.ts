import type { Outcome } from "../outcome.ts";

/** The properties of a file, without its content. */
export interface FileLook {
  readonly kind: "file" | "folder" | "other";
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** This user could write the file, but its file system is mounted read-only. The mode does not show that. */
  readonly isReadOnly: boolean;
  readonly bytes: number;
  /** The time of the last write, in seconds since 1970. */
  readonly modifiedS: number;
}

/** Why the properties of a file could not be read. `gone` means anything except a refusal. */
export type FileProblem = "gone" | "forbidden";

/** Whether a link at the end of a path is followed. The folders before it may be links in either case. */
export type Links = "followed" | "refused";

/** Why a file was not read. */
export interface Unread {
  /** `unfit`: it is not a regular file, or too long. */
  readonly kind: "gone" | "forbidden" | "unfit" | "failed";
  /** What it is, such as `a pipe`, or the system's code, such as `EACCES`. */
  readonly detail: string;
}

/** Why a file was not written. */
export interface Unwritten {
  /**
   * `unfit`: something other than a regular file is in its place. `no-folder`: the file's folder is missing. `removed`:
   * another process deleted the new file before it was moved to its place.
   */
  readonly cause: "unfit" | "no-folder" | "read-only" | "forbidden" | "no-space" | "removed" | "other";
  /** What is there, such as `a pipe`, or the system's words. */
  readonly detail: string;
}

/** A file that a run has started to write. It may finish it later, or never. */
export interface Left {
  readonly path: string;
  readonly bytes: number;
  /** The time of the last write, in milliseconds since 1970. */
  readonly writtenMs: number;
}

/** Files of this machine, for the commands that read more than /proc. */
export interface Files {
  /** Follows links. */
  look(path: string): Outcome<FileLook, FileProblem>;
  /** The last `bytes` of a regular file, as UTF-8. */
  tail(path: string, bytes: number): Outcome<string, Unread>;
  /** The first `bytes` of a regular file, as UTF-8. */
  head(path: string, bytes: number): Outcome<string, Unread>;
  /** What would prevent writing a file there; null: nothing. */
  obstacle(path: string): Unwritten | null;
  /**
   * Replaces `path` in one step by a file that only its owner can read.
   *
   * @param unique a UUID, for the name of the temporary file beside `path`
   * @returns why it failed; null: it worked
   */
  write(path: string, content: string, unique: string): Unwritten | null;
  /** The last `bytes` of stdin. It is read to its end, or for `withinMs` milliseconds. */
  input(bytes: number, withinMs: number): Promise<string>;
  /** Whether a file is a copy of this executable, a copy of another version, or something else. */
  compareWithSelf(path: string): Outcome<"same" | "another-version" | "foreign", Unread>;
  /**
   * Replaces `path` in one step by a copy of this executable, with mode 0755.
   *
   * @param unique as for {@link write}
   * @returns why it failed; null: it worked
   */
  copySelf(path: string, unique: string): Unwritten | null;
  /** Unfinished files beside `path`, from running runs and from killed ones. */
  left(path: string): readonly Left[];
  /** Removes one of these files if this user may do so. */
  forget(left: Left): void;
}

/** A page of the web. */
export interface WebPage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Fetches a page without following redirects. A failure is described in the system's words.
 *
 * @param login `user:password`, for basic auth; empty: none is sent
 */
export type Web = (url: string, login: string, withinMs: number) => Promise<Outcome<WebPage, string>>;

/** Where a server listens: an address with a port (0 means any free port), or a socket in the file system. */
export type ListenPlace =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/**
 * Requests a path from the server that listens at a place of this machine. A failure is described in the system's
 * words. With TLS any certificate is accepted: it names the server for others, not this address.
 */
export type AskPlace = (
  place: ListenPlace,
  path: string,
  isTls: boolean,
  withinMs: number,
) => Promise<Outcome<WebPage, string>>;

/** Why a server does not listen. `detail` is in the system's words. */
export interface ListenProblem {
  /** `occupied`: that path belongs to a file that is not a socket. `tls`: the certificate or the key cannot be used. */
  readonly cause: "in-use" | "forbidden" | "no-address" | "no-folder" | "occupied" | "tls" | "other";
  readonly detail: string;
}

/** The head of an HTTP request. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query as the client wrote them. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** The answer to a client: a whole body, or a stream that goes on. A HEAD request gets only the head of either. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A function is called with the stream. The function that it returns is called when the stream has ended. */
  readonly body: Uint8Array | ((stream: HttpStream) => () => void);
}

/** A stream to one client. The client may be slow. */
export interface HttpStream {
  /** Sends now, or as soon as the earlier bytes have been sent. Until then, newer bytes replace the waiting ones. */
  send(bytes: Uint8Array): void;
  /** Whether the client has not yet received the earlier bytes. */
  isBehind(): boolean;
}

export interface HttpListener {
  /** Where it listens, as a URL or a path. */
  readonly shown: string;
  /** Closes every connection at once. */
  close(): void;
}

/** An HTTP server that no client can block; see machine/http-server.ts for its limits. */
export interface HttpServer {
  /** @param tls certificates and key in PEM; null: no TLS */
  listen(
    place: ListenPlace,
    tls: { readonly cert: string; readonly key: string } | null,
    answer: (request: HttpRequest) => HttpAnswer,
  ): Promise<Outcome<HttpListener, ListenProblem>>;
}

/** The terminal that stdout is connected to. */
export interface Terminal {
  /** In characters. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls the listener when the size has changed. */
  onResize(listener: () => void): void;
  /**
   * Calls the listener for each key, including Ctrl-C, after the screen has been taken. Does nothing if stdin is not a
   * terminal.
   */
  onKey(listener: (key: string) => void): void;
  /**
   * Switches to a separate screen. `restore` leaves it, and so does the end of the process, even if a signal ends it.
   */
  takeScreen(): void;
  restore(): void;
  /** Stops this process, as Ctrl-Z does, and restores the terminal first. Returns when the process continues. */
  suspend(): void;
}
