import type { BrokerFailure } from "./broker/failure.ts";
import type { BrokerTarget } from "./broker/url.ts";
import type {
  AskPlace,
  Files,
  HttpServer,
  Links,
  Terminal,
  Unread,
  Unwritten,
  Web,
} from "./machine/parts.ts";
import type { Outcome } from "./outcome.ts";
import type { Channel, Listener, Topics } from "./broker/channel.ts";
import type { Printable } from "./render/gate.ts";
import type { ProcFiles } from "./worker/proc-files.ts";

/** Everything the story takes from the machine. Only `main.ts` makes a real one. */
export interface Host {
  /** The words of the command line, without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `gethostname()`, the host part of Celery's default node name. */
  readonly hostname: string;
  /** The version of the program. */
  readonly version: string;
  /** What it runs on, for people. */
  readonly runtime: string;
  /** Milliseconds since the process started, monotonic. */
  readonly now: () => number;
  /** Seconds since 1970, for fields that another machine reads. */
  readonly epochSeconds: () => number;
  /** A fresh random UUID. */
  readonly uuid: () => string;
  /** Resolves after `ms` milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** Opens a connection to the broker, at the latest `withinMs` milliseconds from now. */
  readonly connect: (target: BrokerTarget, withinMs: number) => Promise<Outcome<Channel, BrokerFailure>>;
  /** Opens a connection that hears what is published, at the latest `withinMs` milliseconds from now. */
  readonly listen: (
    target: BrokerTarget,
    hear: (channel: string, text: string) => void,
    topics: Topics,
    withinMs: number,
  ) => Promise<Outcome<Listener, BrokerFailure>>;
  /** All addresses of a host name; empty where none was found within `withinMs` milliseconds. */
  readonly addressesOf: (name: string, withinMs: number) => Promise<readonly string[]>;
  /** The processes of this machine. */
  readonly proc: ProcFiles;
  /** Reads a regular file of `most` bytes at most, as UTF-8. */
  readonly readFile: (path: string, most: number, links: Links) => Outcome<string, Unread>;
  /** Replaces a regular file at once, or removes it (`null`); follows no link. */
  readonly writeFile: (path: string, content: string | null) => Unwritten | null;
  /** Files beyond /proc. This and all members below are loaded when they are first used. */
  readonly files: () => Promise<Files>;
  readonly web: () => Promise<Web>;
  readonly askPlace: () => Promise<AskPlace>;
  readonly httpServer: () => Promise<HttpServer>;
  /** null: stdout is not a terminal. */
  readonly terminal: () => Promise<Terminal | null>;
  /** For runs that keep large answers: garbage is collected early, from now on, and whenever what it gives is called. */
  readonly spareMemory: () => Promise<() => void>;
  /** Writes to stdout at once, for runs that say something before their end; gives whether somebody can still read it. */
  readonly print: (text: Printable) => boolean;
  /** Resolves with the signal's name when a signal ends the process. */
  readonly interrupted: Promise<string>;
}
