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

/** Everything that a run uses of the machine. Only `main.ts` makes a real one. */
export interface Host {
  /** The words of the command line, without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `gethostname()`: the host part of Celery's default node name. */
  readonly hostname: string;
  /** The version of the program. */
  readonly version: string;
  /** The runtime and the machine, for people. */
  readonly runtime: string;
  /** Milliseconds since the process started, monotonic. */
  readonly now: () => number;
  /** Seconds since 1970, for fields that another machine reads. */
  readonly epochSeconds: () => number;
  /** A fresh random UUID. */
  readonly uuid: () => string;
  /** Resolves after `ms` milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** Opens a connection to the broker. Takes at most `withinMs` milliseconds. */
  readonly connect: (target: BrokerTarget, withinMs: number) => Promise<Outcome<Channel, BrokerFailure>>;
  /** Opens a connection that receives published messages. Takes at most `withinMs` milliseconds. */
  readonly listen: (
    target: BrokerTarget,
    hear: (channel: string, text: string) => void,
    topics: Topics,
    withinMs: number,
  ) => Promise<Outcome<Listener, BrokerFailure>>;
  /** All addresses of a host name; empty if none was found within `withinMs` milliseconds. */
  readonly addressesOf: (name: string, withinMs: number) => Promise<readonly string[]>;
  /** The processes of this machine. */
  readonly proc: ProcFiles;
  /** Reads a regular file of at most `most` bytes, as UTF-8. */
  readonly readFile: (path: string, most: number, links: Links) => Outcome<string, Unread>;
  /** Replaces a regular file in one step, or removes it (`null`). Does not follow links. */
  readonly writeFile: (path: string, content: string | null) => Unwritten | null;
  /** Files outside /proc. This member and all below are loaded when they are first used. */
  readonly files: () => Promise<Files>;
  readonly web: () => Promise<Web>;
  readonly askPlace: () => Promise<AskPlace>;
  readonly httpServer: () => Promise<HttpServer>;
  /** null: stdout is not a terminal. */
  readonly terminal: () => Promise<Terminal | null>;
  /**
   * For runs that keep large answers. From now on, garbage is collected early, and also whenever the returned function
   * is called.
   */
  readonly spareMemory: () => Promise<() => void>;
  /** Writes to stdout at once, for runs that print before they end. Returns whether there is still a reader. */
  readonly print: (text: Printable) => boolean;
  /** Resolves with the signal's name when a signal ends the process. */
  readonly interrupted: Promise<string>;
}
